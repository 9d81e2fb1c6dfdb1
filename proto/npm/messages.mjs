// Made by generate.mjs from proto/schema; do not edit.
export default {
 "nested": {
  "lode": {
   "nested": {
    "market": {
     "nested": {
      "v1": {
       "options": {
        "go_package": "lode/x/market/types"
       },
       "nested": {
        "AuditPenalties": {
         "fields": {
          "outlier": {
           "type": "string",
           "id": 1
          },
          "unrevealed": {
           "type": "string",
           "id": 2
          },
          "skipped": {
           "type": "string",
           "id": 3
          },
          "ringer": {
           "type": "string",
           "id": 4
          }
         }
        },
        "AuditTest": {
         "fields": {
          "honest": {
           "type": "uint32",
           "id": 1
          },
          "cheat": {
           "type": "uint32",
           "id": 2
          },
          "threshold": {
           "type": "uint32",
           "id": 3
          }
         }
        },
        "Audited": {
         "values": {
          "AUDITED_UNCHOSEN": 0,
          "AUDITED_FULL": 1,
          "AUDITED_PROBES": 2
         }
        },
        "AuditFines": {
         "fields": {
          "exact": {
           "type": "uint32",
           "id": 1
          },
          "banded": {
           "type": "uint32",
           "id": 2
          }
         }
        },
        "AuditParams": {
         "fields": {
          "rate": {
           "type": "uint32",
           "id": 1
          },
          "committee": {
           "type": "uint32",
           "id": 2
          },
          "large_committee": {
           "type": "uint32",
           "id": 3
          },
          "tolerance": {
           "type": "Quality",
           "id": 4
          },
          "fee": {
           "type": "string",
           "id": 5
          },
          "claim_typical": {
           "type": "string",
           "id": 6
          },
          "bond_min": {
           "type": "string",
           "id": 7
          },
          "penalties": {
           "type": "AuditPenalties",
           "id": 8
          },
          "ringer_rate": {
           "type": "uint32",
           "id": 9
          },
          "ringers": {
           "rule": "repeated",
           "type": "string",
           "id": 10
          },
          "slash_rate": {
           "type": "uint32",
           "id": 11
          },
          "test": {
           "type": "AuditTest",
           "id": 12
          },
          "overcount_rate": {
           "type": "uint32",
           "id": 13
          },
          "unchosen": {
           "type": "Audited",
           "id": 14
          },
          "probe_deposit": {
           "type": "string",
           "id": 15
          },
          "fines": {
           "type": "AuditFines",
           "id": 16
          }
         }
        },
        "Identity": {
         "values": {
          "IDENTITY_UNSPECIFIED": 0,
          "IDENTITY_SAME": 1,
          "IDENTITY_UNSURE": 2,
          "IDENTITY_DIFFERS": 3,
          "IDENTITY_WITHHELD": 4,
          "IDENTITY_INFLATED": 5,
          "IDENTITY_UNLIKE": 6
         }
        },
        "Quality": {
         "fields": {
          "thousandths": {
           "type": "uint32",
           "id": 1
          }
         }
        },
        "Verdict": {
         "fields": {
          "identity": {
           "type": "Identity",
           "id": 1
          },
          "quality": {
           "type": "Quality",
           "id": 2
          }
         }
        },
        "Vote": {
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          },
          "verdict": {
           "type": "Verdict",
           "id": 2
          }
         }
        },
        "Round": {
         "values": {
          "ROUND_UNSPECIFIED": 0,
          "ROUND_FIRST": 1,
          "ROUND_SECOND": 2
         }
        },
        "Audit": {
         "fields": {
          "id": {
           "type": "bytes",
           "id": 1
          },
          "session_id": {
           "type": "bytes",
           "id": 2
          },
          "operator": {
           "type": "string",
           "id": 3
          },
          "point": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "Stage": {
         "values": {
          "STAGE_UNSPECIFIED": 0,
          "STAGE_FIRST": 1,
          "STAGE_SECOND": 2,
          "STAGE_PASSED": 3,
          "STAGE_FAILED": 4,
          "STAGE_CONVICTED": 5,
          "STAGE_LAPSED": 6
         }
        },
        "Again": {
         "values": {
          "AGAIN_NO": 0,
          "AGAIN_LAPSED": 1,
          "AGAIN_DISPUTED": 2,
          "AGAIN_WITHHELD": 3,
          "AGAIN_SUSPECTED": 4,
          "AGAIN_FAILED": 5
         }
        },
        "Case": {
         "fields": {
          "audit": {
           "type": "Audit",
           "id": 1
          },
          "service": {
           "type": "string",
           "id": 2
          },
          "start": {
           "type": "uint64",
           "id": 3
          },
          "judged": {
           "type": "bool",
           "id": 4
          },
          "stage": {
           "type": "Stage",
           "id": 5
          },
          "again": {
           "type": "Again",
           "id": 6
          },
          "first": {
           "rule": "repeated",
           "type": "Vote",
           "id": 7
          },
          "second": {
           "rule": "repeated",
           "type": "Vote",
           "id": 8
          },
          "found": {
           "type": "Verdict",
           "id": 9
          },
          "decided_at": {
           "type": "uint64",
           "id": 10
          },
          "planted": {
           "type": "Verdict",
           "id": 11
          }
         }
        },
        "Member": {
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          },
          "power": {
           "type": "uint64",
           "id": 2
          },
          "vrf_key": {
           "type": "bytes",
           "id": 3
          }
         }
        },
        "Panel": {
         "fields": {
          "members": {
           "rule": "repeated",
           "type": "Member",
           "id": 1
          }
         }
        },
        "Docket": {
         "fields": {
          "start": {
           "type": "uint64",
           "id": 1
          },
          "seed": {
           "type": "bytes",
           "id": 2
          },
          "opens": {
           "type": "uint64",
           "id": 3
          },
          "closes": {
           "type": "uint64",
           "id": 4
          },
          "params": {
           "type": "AuditParams",
           "id": 5
          },
          "panel": {
           "rule": "repeated",
           "type": "Member",
           "id": 6
          },
          "audits": {
           "type": "uint32",
           "id": 7
          },
          "second_seed": {
           "type": "bytes",
           "id": 8
          }
         }
        },
        "Auditor": {
         "fields": {
          "address": {
           "type": "string",
           "id": 1
          },
          "bond": {
           "type": "string",
           "id": 2
          },
          "leaving": {
           "type": "bool",
           "id": 3
          },
          "until": {
           "type": "uint64",
           "id": 4
          },
          "earned": {
           "type": "string",
           "id": 5
          },
          "lost": {
           "type": "string",
           "id": 6
          },
          "verdicts": {
           "type": "uint64",
           "id": 7
          },
          "apart": {
           "type": "uint64",
           "id": 8
          },
          "unrevealed": {
           "type": "uint64",
           "id": 9
          },
          "skipped": {
           "type": "uint64",
           "id": 10
          }
         }
        },
        "AuditStanding": {
         "fields": {
          "score": {
           "type": "uint32",
           "id": 1
          },
          "audits": {
           "type": "uint64",
           "id": 2
          },
          "failures": {
           "type": "uint64",
           "id": 3
          },
          "convictions": {
           "type": "uint32",
           "id": 4
          }
         }
        },
        "QualityRecord": {
         "fields": {
          "mean": {
           "type": "uint32",
           "id": 1
          },
          "square": {
           "type": "uint32",
           "id": 2
          },
          "count": {
           "type": "uint32",
           "id": 3
          }
         }
        },
        "Reputation": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "service": {
           "type": "string",
           "id": 2
          },
          "standing": {
           "type": "AuditStanding",
           "id": 3
          },
          "quality": {
           "type": "QualityRecord",
           "id": 4
          }
         }
        },
        "AuditGenesis": {
         "fields": {
          "auditors": {
           "rule": "repeated",
           "type": "Auditor",
           "id": 1
          },
          "reputations": {
           "rule": "repeated",
           "type": "Reputation",
           "id": 2
          },
          "pool": {
           "rule": "repeated",
           "type": "cosmos.base.v1beta1.Coin",
           "id": 3
          },
          "choices": {
           "rule": "repeated",
           "type": "AuditChoice",
           "id": 4
          },
          "probes": {
           "rule": "repeated",
           "type": "Probe",
           "id": 5
          },
          "probers": {
           "rule": "repeated",
           "type": "Prober",
           "id": 6
          }
         }
        },
        "AuditChoice": {
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "audited": {
           "type": "Audited",
           "id": 2
          }
         }
        },
        "Probe": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "commitment": {
           "type": "bytes",
           "id": 2
          },
          "planted_at": {
           "type": "uint64",
           "id": 3
          },
          "deposit": {
           "type": "string",
           "id": 4
          }
         }
        },
        "Prober": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "planted": {
           "type": "uint64",
           "id": 2
          },
          "opened": {
           "type": "uint64",
           "id": 3
          },
          "unopened": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "Commitment": {
         "fields": {
          "audit_id": {
           "type": "bytes",
           "id": 1
          },
          "digest": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "Revealed": {
         "fields": {
          "audit_id": {
           "type": "bytes",
           "id": 1
          },
          "salt": {
           "type": "bytes",
           "id": 2
          },
          "verdict": {
           "type": "Verdict",
           "id": 3
          }
         }
        },
        "CuWeights": {
         "fields": {
          "fresh_in": {
           "type": "uint32",
           "id": 1
          },
          "cached_in": {
           "type": "uint32",
           "id": 2
          },
          "out": {
           "type": "uint32",
           "id": 3
          }
         }
        },
        "Service": {
         "fields": {
          "id": {
           "type": "string",
           "id": 1
          },
          "source": {
           "type": "string",
           "id": 2
          },
          "model_hash": {
           "type": "bytes",
           "id": 3
          },
          "tokenizer_hash": {
           "type": "bytes",
           "id": 4
          },
          "template_hash": {
           "type": "bytes",
           "id": 5
          },
          "precision": {
           "type": "string",
           "id": 6
          },
          "kernel_class": {
           "type": "string",
           "id": 7
          },
          "context_max": {
           "type": "uint32",
           "id": 8
          },
          "cu_weights": {
           "type": "CuWeights",
           "id": 9
          },
          "price_start": {
           "type": "uint64",
           "id": 10
          },
          "denom": {
           "type": "string",
           "id": 11
          },
          "identity_threshold": {
           "type": "uint32",
           "id": 12
          }
         }
        },
        "Offer": {
         "fields": {
          "service": {
           "type": "string",
           "id": 1
          },
          "ask": {
           "type": "uint64",
           "id": 2
          },
          "capacity": {
           "type": "uint64",
           "id": 3
          }
         }
        },
        "PayoutShare": {
         "fields": {
          "to": {
           "type": "string",
           "id": 1
          },
          "share": {
           "type": "uint32",
           "id": 2
          }
         }
        },
        "Standing": {
         "values": {
          "STANDING_UNSPECIFIED": 0,
          "STANDING_BONDED": 1,
          "STANDING_JAILED": 2,
          "STANDING_UNBONDING": 3
         }
        },
        "Supplier": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "owner": {
           "type": "string",
           "id": 2
          },
          "stake": {
           "type": "string",
           "id": 3
          },
          "relay_key": {
           "type": "bytes",
           "id": 4
          },
          "endpoint": {
           "type": "string",
           "id": 5
          },
          "offers": {
           "rule": "repeated",
           "type": "Offer",
           "id": 6
          },
          "payouts": {
           "rule": "repeated",
           "type": "PayoutShare",
           "id": 7
          },
          "standing": {
           "type": "Standing",
           "id": 8
          },
          "until": {
           "type": "uint64",
           "id": 9
          }
         }
        },
        "Gateway": {
         "fields": {
          "address": {
           "type": "string",
           "id": 1
          },
          "stake": {
           "type": "string",
           "id": 2
          },
          "relay_key": {
           "type": "bytes",
           "id": 3
          },
          "exposure": {
           "type": "string",
           "id": 4
          },
          "standing": {
           "type": "Standing",
           "id": 5
          },
          "until": {
           "type": "uint64",
           "id": 6
          },
          "backings": {
           "rule": "repeated",
           "type": "Backing",
           "id": 7
          }
         }
        },
        "Backing": {
         "fields": {
          "denom": {
           "type": "string",
           "id": 1
          },
          "amount": {
           "type": "string",
           "id": 2
          },
          "exposure": {
           "type": "string",
           "id": 3
          }
         }
        },
        "Escrow": {
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "denom": {
           "type": "string",
           "id": 2
          },
          "amount": {
           "type": "string",
           "id": 3
          }
         }
        },
        "Delegation": {
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "gateway": {
           "type": "string",
           "id": 2
          },
          "denom": {
           "type": "string",
           "id": 3
          },
          "limit": {
           "type": "string",
           "id": 4
          },
          "expires": {
           "type": "uint64",
           "id": 5
          }
         }
        },
        "Windows": {
         "fields": {
          "grace": {
           "type": "uint64",
           "id": 1
          },
          "claim": {
           "type": "uint64",
           "id": 2
          },
          "proof": {
           "type": "uint64",
           "id": 3
          },
          "audit": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "Shares": {
         "fields": {
          "supplier": {
           "type": "uint32",
           "id": 1
          },
          "source": {
           "type": "uint32",
           "id": 2
          },
          "audits": {
           "type": "uint32",
           "id": 3
          },
          "treasury": {
           "type": "uint32",
           "id": 4
          },
          "burn": {
           "type": "uint32",
           "id": 5
          }
         }
        },
        "Proving": {
         "fields": {
          "rate": {
           "type": "uint32",
           "id": 1
          },
          "draws": {
           "type": "uint32",
           "id": 2
          },
          "always_above": {
           "type": "string",
           "id": 3
          },
          "penalty_rate": {
           "type": "uint32",
           "id": 4
          },
          "penalty_min": {
           "type": "string",
           "id": 5
          }
         }
        },
        "CoinValue": {
         "fields": {
          "stake": {
           "type": "uint64",
           "id": 1
          },
          "units": {
           "type": "uint64",
           "id": 2
          }
         }
        },
        "AllowedCoin": {
         "fields": {
          "denom": {
           "type": "string",
           "id": 1
          },
          "value": {
           "type": "CoinValue",
           "id": 2
          }
         }
        },
        "PriceParams": {
         "fields": {
          "target_utilisation": {
           "type": "uint32",
           "id": 1
          },
          "gain_min": {
           "type": "uint32",
           "id": 2
          },
          "gain_max": {
           "type": "uint32",
           "id": 3
          },
          "gain_start": {
           "type": "uint32",
           "id": 4
          },
          "gain_step": {
           "type": "uint32",
           "id": 5
          },
          "step_max": {
           "type": "uint32",
           "id": 6
          },
          "phi_lo": {
           "type": "uint32",
           "id": 7
          },
          "phi_hi": {
           "type": "uint32",
           "id": 8
          },
          "payer_cap": {
           "type": "uint32",
           "id": 9
          },
          "operator_cap": {
           "type": "uint32",
           "id": 10
          },
          "scarcity": {
           "type": "uint32",
           "id": 11
          }
         }
        },
        "Params": {
         "fields": {
          "session_length": {
           "type": "uint64",
           "id": 1
          },
          "windows": {
           "type": "Windows",
           "id": 2
          },
          "relay_max": {
           "type": "uint64",
           "id": 3
          },
          "suppliers_per_session": {
           "type": "uint32",
           "id": 4
          },
          "inflight_max": {
           "type": "uint32",
           "id": 5
          },
          "request_max_bytes": {
           "type": "uint32",
           "id": 6
          },
          "checkpoint_cu": {
           "type": "uint64",
           "id": 7
          },
          "shares": {
           "type": "Shares",
           "id": 8
          },
          "proving": {
           "type": "Proving",
           "id": 9
          },
          "price": {
           "type": "PriceParams",
           "id": 10
          },
          "supplier_stake_min": {
           "type": "string",
           "id": 11
          },
          "gateway_stake_min": {
           "type": "string",
           "id": 12
          },
          "owner_cap": {
           "type": "string",
           "id": 13
          },
          "unbonding": {
           "type": "uint64",
           "id": 14
          },
          "jail": {
           "type": "uint64",
           "id": 15
          },
          "history": {
           "type": "uint64",
           "id": 16
          },
          "settlements_per_block": {
           "type": "uint32",
           "id": 17
          },
          "coins": {
           "rule": "repeated",
           "type": "AllowedCoin",
           "id": 18
          },
          "audits": {
           "type": "AuditParams",
           "id": 19
          }
         }
        },
        "Terms": {
         "fields": {
          "protocol_version": {
           "type": "uint32",
           "id": 1
          },
          "price": {
           "type": "uint64",
           "id": 2
          },
          "denom": {
           "type": "string",
           "id": 3
          },
          "source": {
           "type": "string",
           "id": 4
          },
          "cu_weights": {
           "type": "CuWeights",
           "id": 5
          },
          "tokenizer_hash": {
           "type": "bytes",
           "id": 6
          },
          "template_hash": {
           "type": "bytes",
           "id": 7
          },
          "context_max": {
           "type": "uint32",
           "id": 8
          },
          "windows": {
           "type": "Windows",
           "id": 9
          },
          "relay_max": {
           "type": "uint64",
           "id": 10
          },
          "inflight_max": {
           "type": "uint32",
           "id": 11
          },
          "request_max_bytes": {
           "type": "uint32",
           "id": 12
          },
          "checkpoint_cu": {
           "type": "uint64",
           "id": 13
          },
          "shares": {
           "type": "Shares",
           "id": 14
          },
          "proving": {
           "type": "Proving",
           "id": 15
          },
          "value": {
           "type": "CoinValue",
           "id": 16
          },
          "audited": {
           "type": "Audited",
           "id": 17
          }
         }
        },
        "Seat": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "relay_key": {
           "type": "bytes",
           "id": 2
          },
          "endpoint": {
           "type": "string",
           "id": 3
          },
          "payouts": {
           "rule": "repeated",
           "type": "PayoutShare",
           "id": 4
          }
         }
        },
        "Session": {
         "fields": {
          "id": {
           "type": "bytes",
           "id": 1
          },
          "service": {
           "type": "string",
           "id": 2
          },
          "app": {
           "type": "string",
           "id": 3
          },
          "gateway": {
           "type": "string",
           "id": 4
          },
          "gateway_key": {
           "type": "bytes",
           "id": 5
          },
          "start": {
           "type": "uint64",
           "id": 6
          },
          "end": {
           "type": "uint64",
           "id": 7
          },
          "budget": {
           "type": "string",
           "id": 8
          },
          "seats": {
           "rule": "repeated",
           "type": "Seat",
           "id": 9
          },
          "terms": {
           "type": "Terms",
           "id": 10
          }
         }
        },
        "ClaimRoot": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "root": {
           "type": "bytes",
           "id": 2
          },
          "sum": {
           "type": "uint64",
           "id": 3
          },
          "count": {
           "type": "uint64",
           "id": 4
          },
          "unacked_from": {
           "type": "uint64",
           "id": 5
          }
         }
        },
        "Phase": {
         "values": {
          "PHASE_UNSPECIFIED": 0,
          "PHASE_CLAIMED": 1,
          "PHASE_PROOF_DUE": 2,
          "PHASE_PROVEN": 3,
          "PHASE_SPARED": 4,
          "PHASE_REFUTED": 5,
          "PHASE_EXPIRED": 6,
          "PHASE_CONVICTED": 7,
          "PHASE_FINED": 8
         }
        },
        "Claim": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "root": {
           "type": "ClaimRoot",
           "id": 2
          },
          "phase": {
           "type": "Phase",
           "id": 3
          },
          "claimed_at": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "Settled": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "operator": {
           "type": "string",
           "id": 2
          },
          "service": {
           "type": "string",
           "id": 3
          },
          "app": {
           "type": "string",
           "id": 4
          },
          "gateway": {
           "type": "string",
           "id": 5
          },
          "root": {
           "type": "ClaimRoot",
           "id": 6
          },
          "phase": {
           "type": "Phase",
           "id": 7
          },
          "price": {
           "type": "uint64",
           "id": 8
          },
          "denom": {
           "type": "string",
           "id": 9
          },
          "cost": {
           "type": "string",
           "id": 10
          },
          "split": {
           "type": "Split",
           "id": 11
          },
          "slashed": {
           "type": "string",
           "id": 12
          },
          "height": {
           "type": "uint64",
           "id": 13
          },
          "reason": {
           "type": "string",
           "id": 14
          }
         }
        },
        "Split": {
         "fields": {
          "supplier": {
           "type": "string",
           "id": 1
          },
          "source": {
           "type": "string",
           "id": 2
          },
          "audits": {
           "type": "string",
           "id": 3
          },
          "treasury": {
           "type": "string",
           "id": 4
          },
          "burn": {
           "type": "string",
           "id": 5
          }
         }
        },
        "PriceState": {
         "fields": {
          "service": {
           "type": "string",
           "id": 1
          },
          "x": {
           "type": "int64",
           "id": 2
          },
          "ubar": {
           "type": "uint32",
           "id": 3
          },
          "gain": {
           "type": "uint32",
           "id": 4
          },
          "last_sign": {
           "type": "int32",
           "id": 5
          },
          "price": {
           "type": "uint64",
           "id": 6
          },
          "since": {
           "type": "uint64",
           "id": 7
          }
         }
        },
        "PricePoint": {
         "fields": {
          "since": {
           "type": "uint64",
           "id": 1
          },
          "price": {
           "type": "uint64",
           "id": 2
          },
          "ubar": {
           "type": "uint32",
           "id": 3
          },
          "gain": {
           "type": "uint32",
           "id": 4
          },
          "admitted": {
           "type": "uint64",
           "id": 5
          },
          "capacity": {
           "type": "uint64",
           "id": 6
          }
         }
        },
        "Usage": {
         "fields": {
          "fresh_in": {
           "type": "uint64",
           "id": 1
          },
          "cached_in": {
           "type": "uint64",
           "id": 2
          },
          "out": {
           "type": "uint64",
           "id": 3
          }
         }
        },
        "Acked": {
         "fields": {
          "count": {
           "type": "uint64",
           "id": 1
          },
          "cu": {
           "type": "uint64",
           "id": 2
          },
          "floor": {
           "type": "uint64",
           "id": 3
          },
          "hash": {
           "type": "bytes",
           "id": 4
          }
         }
        },
        "AckEntry": {
         "fields": {
          "relay_id": {
           "type": "bytes",
           "id": 1
          },
          "cu": {
           "type": "uint64",
           "id": 2
          }
         }
        },
        "RelayRequest": {
         "fields": {
          "chain_id": {
           "type": "string",
           "id": 1
          },
          "session_id": {
           "type": "bytes",
           "id": 2
          },
          "supplier": {
           "type": "string",
           "id": 3
          },
          "relay_id": {
           "type": "bytes",
           "id": 4
          },
          "seq": {
           "type": "uint64",
           "id": 5
          },
          "request_digest": {
           "type": "bytes",
           "id": 6
          },
          "max_cu": {
           "type": "uint64",
           "id": 7
          },
          "issued_at": {
           "type": "uint64",
           "id": 8
          },
          "acked": {
           "type": "Acked",
           "id": 9
          }
         }
        },
        "SignedRequest": {
         "fields": {
          "body": {
           "type": "RelayRequest",
           "id": 1
          },
          "signature": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "Ack": {
         "fields": {
          "chain_id": {
           "type": "string",
           "id": 1
          },
          "session_id": {
           "type": "bytes",
           "id": 2
          },
          "supplier": {
           "type": "string",
           "id": 3
          },
          "acked": {
           "type": "Acked",
           "id": 4
          }
         }
        },
        "SignedAck": {
         "fields": {
          "body": {
           "type": "Ack",
           "id": 1
          },
          "signature": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "Envelope": {
         "fields": {
          "request": {
           "type": "SignedRequest",
           "id": 1
          },
          "entries": {
           "rule": "repeated",
           "type": "AckEntry",
           "id": 2
          }
         }
        },
        "AckUpdate": {
         "fields": {
          "ack": {
           "type": "SignedAck",
           "id": 1
          },
          "entries": {
           "rule": "repeated",
           "type": "AckEntry",
           "id": 2
          }
         }
        },
        "Status": {
         "values": {
          "STATUS_UNSPECIFIED": 0,
          "STATUS_COMPLETED": 1,
          "STATUS_CUT": 2,
          "STATUS_FAILED": 3
         }
        },
        "Receipt": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "relay_id": {
           "type": "bytes",
           "id": 2
          },
          "request_digest": {
           "type": "bytes",
           "id": 3
          },
          "response_root": {
           "type": "bytes",
           "id": 4
          },
          "chunk_count": {
           "type": "uint64",
           "id": 5
          },
          "usage": {
           "type": "Usage",
           "id": 6
          },
          "cu": {
           "type": "uint64",
           "id": 7
          },
          "status": {
           "type": "Status",
           "id": 8
          },
          "started_at": {
           "type": "uint64",
           "id": 9
          },
          "first_token_at": {
           "type": "uint64",
           "id": 10
          },
          "finished_at": {
           "type": "uint64",
           "id": 11
          },
          "evidence_root": {
           "type": "bytes",
           "id": 12
          }
         }
        },
        "SignedReceipt": {
         "fields": {
          "body": {
           "type": "Receipt",
           "id": 1
          },
          "signature": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "AckProof": {
         "oneofs": {
          "head": {
           "oneof": [
            "request",
            "ack"
           ]
          }
         },
         "fields": {
          "before": {
           "type": "bytes",
           "id": 1
          },
          "tail": {
           "rule": "repeated",
           "type": "AckEntry",
           "id": 2
          },
          "request": {
           "type": "SignedRequest",
           "id": 3
          },
          "ack": {
           "type": "SignedAck",
           "id": 4
          }
         }
        },
        "Leaf": {
         "fields": {
          "request": {
           "type": "SignedRequest",
           "id": 1
          },
          "receipt": {
           "type": "SignedReceipt",
           "id": 2
          },
          "ack": {
           "type": "AckProof",
           "id": 3
          }
         }
        },
        "Opening": {
         "fields": {
          "leaf": {
           "type": "Leaf",
           "id": 1
          },
          "path": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "Msg": {
         "options": {
          "(cosmos.msg.v1.service)": true
         },
         "methods": {
          "ListService": {
           "requestType": "MsgListService",
           "responseType": "MsgDone"
          },
          "StakeSupplier": {
           "requestType": "MsgStakeSupplier",
           "responseType": "MsgDone"
          },
          "UpdateSupplier": {
           "requestType": "MsgUpdateSupplier",
           "responseType": "MsgDone"
          },
          "UnstakeSupplier": {
           "requestType": "MsgUnstakeSupplier",
           "responseType": "MsgDone"
          },
          "UnjailSupplier": {
           "requestType": "MsgUnjailSupplier",
           "responseType": "MsgDone"
          },
          "StakeGateway": {
           "requestType": "MsgStakeGateway",
           "responseType": "MsgDone"
          },
          "UnstakeGateway": {
           "requestType": "MsgUnstakeGateway",
           "responseType": "MsgDone"
          },
          "Deposit": {
           "requestType": "MsgDeposit",
           "responseType": "MsgDone"
          },
          "Withdraw": {
           "requestType": "MsgWithdraw",
           "responseType": "MsgDone"
          },
          "Delegate": {
           "requestType": "MsgDelegate",
           "responseType": "MsgDone"
          },
          "Undelegate": {
           "requestType": "MsgUndelegate",
           "responseType": "MsgDone"
          },
          "OpenSession": {
           "requestType": "MsgOpenSession",
           "responseType": "MsgDone"
          },
          "SubmitClaims": {
           "requestType": "MsgSubmitClaims",
           "responseType": "MsgDone"
          },
          "SubmitProofs": {
           "requestType": "MsgSubmitProofs",
           "responseType": "MsgDone"
          },
          "BondAuditor": {
           "requestType": "MsgBondAuditor",
           "responseType": "MsgDone"
          },
          "UnbondAuditor": {
           "requestType": "MsgUnbondAuditor",
           "responseType": "MsgDone"
          },
          "CommitVerdicts": {
           "requestType": "MsgCommitVerdicts",
           "responseType": "MsgDone"
          },
          "RevealVerdicts": {
           "requestType": "MsgRevealVerdicts",
           "responseType": "MsgDone"
          },
          "PlantRinger": {
           "requestType": "MsgPlantRinger",
           "responseType": "MsgDone"
          },
          "OpenRinger": {
           "requestType": "MsgOpenRinger",
           "responseType": "MsgDone"
          },
          "ProveOvercount": {
           "requestType": "MsgProveOvercount",
           "responseType": "MsgDone"
          },
          "ChooseAudit": {
           "requestType": "MsgChooseAudit",
           "responseType": "MsgDone"
          },
          "PlantProbe": {
           "requestType": "MsgPlantProbe",
           "responseType": "MsgDone"
          },
          "OpenProbe": {
           "requestType": "MsgOpenProbe",
           "responseType": "MsgDone"
          },
          "UpdateParams": {
           "requestType": "MsgUpdateParams",
           "responseType": "MsgDone"
          }
         }
        },
        "MsgDone": {
         "fields": {}
        },
        "MsgListService": {
         "options": {
          "(cosmos.msg.v1.signer)": "source",
          "(amino.name)": "lode/MsgListService"
         },
         "fields": {
          "source": {
           "type": "string",
           "id": 1
          },
          "service": {
           "type": "Service",
           "id": 2
          }
         }
        },
        "MsgStakeSupplier": {
         "options": {
          "(cosmos.msg.v1.signer)": "owner",
          "(amino.name)": "lode/MsgStakeSupplier"
         },
         "fields": {
          "owner": {
           "type": "string",
           "id": 1
          },
          "operator": {
           "type": "string",
           "id": 2
          },
          "add": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 3
          },
          "relay_key": {
           "type": "bytes",
           "id": 4
          },
          "endpoint": {
           "type": "string",
           "id": 5
          },
          "offers": {
           "rule": "repeated",
           "type": "Offer",
           "id": 6
          },
          "payouts": {
           "rule": "repeated",
           "type": "PayoutShare",
           "id": 7
          }
         }
        },
        "MsgUpdateSupplier": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgUpdateSupplier"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "relay_key": {
           "type": "bytes",
           "id": 2
          },
          "endpoint": {
           "type": "string",
           "id": 3
          },
          "offers": {
           "rule": "repeated",
           "type": "Offer",
           "id": 4
          }
         }
        },
        "MsgUnstakeSupplier": {
         "options": {
          "(cosmos.msg.v1.signer)": "owner",
          "(amino.name)": "lode/MsgUnstakeSupplier"
         },
         "fields": {
          "owner": {
           "type": "string",
           "id": 1
          },
          "operator": {
           "type": "string",
           "id": 2
          }
         }
        },
        "MsgUnjailSupplier": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgUnjailSupplier"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          }
         }
        },
        "MsgStakeGateway": {
         "options": {
          "(cosmos.msg.v1.signer)": "gateway",
          "(amino.name)": "lode/MsgStakeGateway"
         },
         "fields": {
          "gateway": {
           "type": "string",
           "id": 1
          },
          "add": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 2
          },
          "relay_key": {
           "type": "bytes",
           "id": 3
          }
         }
        },
        "MsgUnstakeGateway": {
         "options": {
          "(cosmos.msg.v1.signer)": "gateway",
          "(amino.name)": "lode/MsgUnstakeGateway"
         },
         "fields": {
          "gateway": {
           "type": "string",
           "id": 1
          }
         }
        },
        "MsgDeposit": {
         "options": {
          "(cosmos.msg.v1.signer)": "app",
          "(amino.name)": "lode/MsgDeposit"
         },
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "coin": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 2
          }
         }
        },
        "MsgWithdraw": {
         "options": {
          "(cosmos.msg.v1.signer)": "app",
          "(amino.name)": "lode/MsgWithdraw"
         },
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "coin": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 2
          }
         }
        },
        "MsgDelegate": {
         "options": {
          "(cosmos.msg.v1.signer)": "app",
          "(amino.name)": "lode/MsgDelegate"
         },
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "gateway": {
           "type": "string",
           "id": 2
          },
          "limit": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 3
          },
          "expires": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "MsgUndelegate": {
         "options": {
          "(cosmos.msg.v1.signer)": "app",
          "(amino.name)": "lode/MsgUndelegate"
         },
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "gateway": {
           "type": "string",
           "id": 2
          }
         }
        },
        "MsgOpenSession": {
         "options": {
          "(cosmos.msg.v1.signer)": "gateway",
          "(amino.name)": "lode/MsgOpenSession"
         },
         "fields": {
          "gateway": {
           "type": "string",
           "id": 1
          },
          "app": {
           "type": "string",
           "id": 2
          },
          "service": {
           "type": "string",
           "id": 3
          },
          "start": {
           "type": "uint64",
           "id": 4
          },
          "budget": {
           "type": "string",
           "id": 5
          }
         }
        },
        "MsgSubmitClaims": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgSubmitClaims"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "claims": {
           "rule": "repeated",
           "type": "ClaimRoot",
           "id": 2
          }
         }
        },
        "Proof": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "openings": {
           "rule": "repeated",
           "type": "Opening",
           "id": 2
          }
         }
        },
        "MsgSubmitProofs": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgSubmitProofs"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "proofs": {
           "rule": "repeated",
           "type": "Proof",
           "id": 2
          }
         }
        },
        "MsgUpdateParams": {
         "options": {
          "(cosmos.msg.v1.signer)": "authority",
          "(amino.name)": "lode/MsgUpdateParams"
         },
         "fields": {
          "authority": {
           "type": "string",
           "id": 1
          },
          "params": {
           "type": "Params",
           "id": 2
          }
         }
        },
        "MsgBondAuditor": {
         "options": {
          "(cosmos.msg.v1.signer)": "auditor",
          "(amino.name)": "lode/MsgBondAuditor"
         },
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          },
          "add": {
           "type": "cosmos.base.v1beta1.Coin",
           "id": 2
          }
         }
        },
        "MsgUnbondAuditor": {
         "options": {
          "(cosmos.msg.v1.signer)": "auditor",
          "(amino.name)": "lode/MsgUnbondAuditor"
         },
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          }
         }
        },
        "MsgCommitVerdicts": {
         "options": {
          "(cosmos.msg.v1.signer)": "auditor",
          "(amino.name)": "lode/MsgCommitVerdicts"
         },
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          },
          "round": {
           "type": "Round",
           "id": 2
          },
          "commitments": {
           "rule": "repeated",
           "type": "Commitment",
           "id": 3
          }
         }
        },
        "MsgRevealVerdicts": {
         "options": {
          "(cosmos.msg.v1.signer)": "auditor",
          "(amino.name)": "lode/MsgRevealVerdicts"
         },
         "fields": {
          "auditor": {
           "type": "string",
           "id": 1
          },
          "start": {
           "type": "uint64",
           "id": 2
          },
          "ticket": {
           "type": "bytes",
           "id": 3
          },
          "verdicts": {
           "rule": "repeated",
           "type": "Revealed",
           "id": 4
          }
         }
        },
        "MsgPlantRinger": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgPlantRinger"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "commitment": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "MsgOpenRinger": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgOpenRinger"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "audit_id": {
           "type": "bytes",
           "id": 2
          },
          "salt": {
           "type": "bytes",
           "id": 3
          },
          "expected": {
           "type": "Verdict",
           "id": 4
          }
         }
        },
        "MsgProveOvercount": {
         "options": {
          "(cosmos.msg.v1.signer)": "accuser",
          "(amino.name)": "lode/MsgProveOvercount"
         },
         "fields": {
          "accuser": {
           "type": "string",
           "id": 1
          },
          "session_id": {
           "type": "bytes",
           "id": 2
          },
          "operator": {
           "type": "string",
           "id": 3
          },
          "receipt": {
           "type": "SignedReceipt",
           "id": 4
          },
          "opening": {
           "type": "Opening",
           "id": 5
          }
         }
        },
        "MsgChooseAudit": {
         "options": {
          "(cosmos.msg.v1.signer)": "app",
          "(amino.name)": "lode/MsgChooseAudit"
         },
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          },
          "audited": {
           "type": "Audited",
           "id": 2
          }
         }
        },
        "MsgPlantProbe": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgPlantProbe"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "commitment": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "MsgOpenProbe": {
         "options": {
          "(cosmos.msg.v1.signer)": "operator",
          "(amino.name)": "lode/MsgOpenProbe"
         },
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          },
          "salt": {
           "type": "bytes",
           "id": 2
          },
          "app": {
           "type": "string",
           "id": 3
          },
          "start": {
           "type": "uint64",
           "id": 4
          }
         }
        },
        "Query": {
         "methods": {
          "Params": {
           "requestType": "QueryParams",
           "responseType": "lode.market.v1.Params"
          },
          "Service": {
           "requestType": "QueryService",
           "responseType": "lode.market.v1.Service"
          },
          "Services": {
           "requestType": "QueryServices",
           "responseType": "AnswerServices"
          },
          "Price": {
           "requestType": "QueryPrice",
           "responseType": "PriceState"
          },
          "PriceHistory": {
           "requestType": "QueryPriceHistory",
           "responseType": "AnswerPriceHistory"
          },
          "Supplier": {
           "requestType": "QuerySupplier",
           "responseType": "lode.market.v1.Supplier"
          },
          "Suppliers": {
           "requestType": "QuerySuppliers",
           "responseType": "AnswerSuppliers"
          },
          "Gateway": {
           "requestType": "QueryGateway",
           "responseType": "lode.market.v1.Gateway"
          },
          "App": {
           "requestType": "QueryApp",
           "responseType": "AnswerApp"
          },
          "Session": {
           "requestType": "QuerySession",
           "responseType": "lode.market.v1.Session"
          },
          "Sessions": {
           "requestType": "QuerySessions",
           "responseType": "AnswerSessions"
          },
          "Claim": {
           "requestType": "QueryClaim",
           "responseType": "lode.market.v1.Claim"
          },
          "Settled": {
           "requestType": "QuerySettled",
           "responseType": "lode.market.v1.Settled"
          },
          "Clock": {
           "requestType": "QueryClock",
           "responseType": "AnswerClock"
          },
          "Seed": {
           "requestType": "QuerySeed",
           "responseType": "AnswerSeed"
          },
          "Audit": {
           "requestType": "QueryAudit",
           "responseType": "lode.market.v1.Case"
          },
          "Audits": {
           "requestType": "QueryAudits",
           "responseType": "AnswerAudits"
          },
          "Docket": {
           "requestType": "QueryDocket",
           "responseType": "lode.market.v1.Docket"
          },
          "Reputation": {
           "requestType": "QueryReputation",
           "responseType": "AnswerReputation"
          },
          "Auditor": {
           "requestType": "QueryAuditor",
           "responseType": "lode.market.v1.Auditor"
          },
          "Auditors": {
           "requestType": "QueryAuditors",
           "responseType": "AnswerAuditors"
          },
          "Prober": {
           "requestType": "QueryProber",
           "responseType": "lode.market.v1.Prober"
          },
          "Invariants": {
           "requestType": "QueryInvariants",
           "responseType": "AnswerInvariants"
          }
         }
        },
        "QueryParams": {
         "fields": {}
        },
        "QueryService": {
         "fields": {
          "id": {
           "type": "string",
           "id": 1
          }
         }
        },
        "QueryServices": {
         "fields": {
          "after": {
           "type": "string",
           "id": 1
          },
          "limit": {
           "type": "uint32",
           "id": 2
          }
         }
        },
        "AnswerServices": {
         "fields": {
          "services": {
           "rule": "repeated",
           "type": "Service",
           "id": 1
          }
         }
        },
        "QueryPrice": {
         "fields": {
          "service": {
           "type": "string",
           "id": 1
          }
         }
        },
        "QueryPriceHistory": {
         "fields": {
          "service": {
           "type": "string",
           "id": 1
          },
          "before": {
           "type": "uint64",
           "id": 2
          },
          "limit": {
           "type": "uint32",
           "id": 3
          }
         }
        },
        "AnswerPriceHistory": {
         "fields": {
          "points": {
           "rule": "repeated",
           "type": "PricePoint",
           "id": 1
          },
          "predicted": {
           "type": "PricePoint",
           "id": 2
          }
         }
        },
        "QuerySupplier": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          }
         }
        },
        "QuerySuppliers": {
         "fields": {
          "after": {
           "type": "string",
           "id": 1
          },
          "limit": {
           "type": "uint32",
           "id": 2
          }
         }
        },
        "AnswerSuppliers": {
         "fields": {
          "suppliers": {
           "rule": "repeated",
           "type": "Supplier",
           "id": 1
          }
         }
        },
        "QueryGateway": {
         "fields": {
          "address": {
           "type": "string",
           "id": 1
          }
         }
        },
        "QueryApp": {
         "fields": {
          "app": {
           "type": "string",
           "id": 1
          }
         }
        },
        "AnswerApp": {
         "fields": {
          "escrow": {
           "rule": "repeated",
           "type": "Escrow",
           "id": 1
          },
          "delegations": {
           "rule": "repeated",
           "type": "Delegation",
           "id": 2
          },
          "audited": {
           "type": "Audited",
           "id": 3
          }
         }
        },
        "QuerySession": {
         "fields": {
          "id": {
           "type": "bytes",
           "id": 1
          }
         }
        },
        "QuerySessions": {
         "fields": {
          "party": {
           "type": "string",
           "id": 1
          },
          "after": {
           "type": "bytes",
           "id": 2
          },
          "limit": {
           "type": "uint32",
           "id": 3
          }
         }
        },
        "AnswerSessions": {
         "fields": {
          "sessions": {
           "rule": "repeated",
           "type": "Session",
           "id": 1
          }
         }
        },
        "QueryClaim": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "operator": {
           "type": "string",
           "id": 2
          }
         }
        },
        "QuerySettled": {
         "fields": {
          "session_id": {
           "type": "bytes",
           "id": 1
          },
          "operator": {
           "type": "string",
           "id": 2
          }
         }
        },
        "QueryClock": {
         "fields": {}
        },
        "AnswerClock": {
         "fields": {
          "height": {
           "type": "uint64",
           "id": 1
          },
          "start": {
           "type": "uint64",
           "id": 2
          },
          "next_start": {
           "type": "uint64",
           "id": 3
          }
         }
        },
        "QuerySeed": {
         "fields": {
          "height": {
           "type": "uint64",
           "id": 1
          }
         }
        },
        "AnswerSeed": {
         "fields": {
          "height": {
           "type": "uint64",
           "id": 1
          },
          "seed": {
           "type": "bytes",
           "id": 2
          }
         }
        },
        "QueryInvariants": {
         "fields": {}
        },
        "Invariant": {
         "fields": {
          "purse": {
           "type": "string",
           "id": 1
          },
          "denom": {
           "type": "string",
           "id": 2
          },
          "owed": {
           "type": "string",
           "id": 3
          }
         }
        },
        "AnswerInvariants": {
         "fields": {
          "invariants": {
           "rule": "repeated",
           "type": "Invariant",
           "id": 1
          }
         }
        },
        "QueryAudit": {
         "fields": {
          "id": {
           "type": "bytes",
           "id": 1
          }
         }
        },
        "QueryAudits": {
         "fields": {
          "start": {
           "type": "uint64",
           "id": 1
          },
          "session_id": {
           "type": "bytes",
           "id": 2
          },
          "supplier": {
           "type": "string",
           "id": 3
          },
          "auditor": {
           "type": "string",
           "id": 4
          },
          "after": {
           "type": "bytes",
           "id": 5
          },
          "limit": {
           "type": "uint32",
           "id": 6
          }
         }
        },
        "AnswerAudits": {
         "fields": {
          "audits": {
           "rule": "repeated",
           "type": "Case",
           "id": 1
          }
         }
        },
        "QueryDocket": {
         "fields": {
          "start": {
           "type": "uint64",
           "id": 1
          }
         }
        },
        "QueryReputation": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          }
         }
        },
        "AnswerReputation": {
         "fields": {
          "reputations": {
           "rule": "repeated",
           "type": "Reputation",
           "id": 1
          }
         }
        },
        "QueryAuditor": {
         "fields": {
          "address": {
           "type": "string",
           "id": 1
          }
         }
        },
        "QueryAuditors": {
         "fields": {
          "after": {
           "type": "string",
           "id": 1
          },
          "limit": {
           "type": "uint32",
           "id": 2
          }
         }
        },
        "AnswerAuditors": {
         "fields": {
          "auditors": {
           "rule": "repeated",
           "type": "Auditor",
           "id": 1
          }
         }
        },
        "QueryProber": {
         "fields": {
          "operator": {
           "type": "string",
           "id": 1
          }
         }
        },
        "Genesis": {
         "fields": {
          "authority": {
           "type": "string",
           "id": 1
          },
          "params": {
           "type": "Params",
           "id": 2
          },
          "services": {
           "rule": "repeated",
           "type": "Service",
           "id": 3
          },
          "suppliers": {
           "rule": "repeated",
           "type": "Supplier",
           "id": 4
          },
          "gateways": {
           "rule": "repeated",
           "type": "Gateway",
           "id": 5
          },
          "escrow": {
           "rule": "repeated",
           "type": "Escrow",
           "id": 6
          },
          "delegations": {
           "rule": "repeated",
           "type": "Delegation",
           "id": 7
          },
          "audits": {
           "type": "AuditGenesis",
           "id": 8
          }
         }
        }
       }
      }
     }
    }
   }
  },
  "cosmos": {
   "nested": {
    "base": {
     "nested": {
      "v1beta1": {
       "options": {
        "go_package": "github.com/cosmos/cosmos-sdk/types"
       },
       "nested": {
        "Coin": {
         "fields": {
          "denom": {
           "type": "string",
           "id": 1
          },
          "amount": {
           "type": "string",
           "id": 2
          }
         }
        }
       }
      }
     }
    }
   }
  }
 }
};
