// Made by generate.mjs from proto/schema; do not edit.
import type { DeepPartial, MessageType } from "./index.d.ts";

export interface Coin {
  denom: string;
  amount: string;
}

export interface AuditPenalties {
  outlier: string;
  unrevealed: string;
  skipped: string;
  ringer: string;
}

export interface AuditTest {
  honest: number;
  cheat: number;
  threshold: number;
}

export declare enum Audited {
  AUDITED_UNCHOSEN = 0,
  AUDITED_FULL = 1,
  AUDITED_PROBES = 2,
}

export interface AuditFines {
  exact: number;
  banded: number;
}

export interface AuditParams {
  rate: number;
  committee: number;
  largeCommittee: number;
  tolerance?: Quality;
  fee: string;
  claimTypical: string;
  bondMin: string;
  penalties?: AuditPenalties;
  ringerRate: number;
  ringers: string[];
  slashRate: number;
  test?: AuditTest;
  overcountRate: number;
  unchosen: Audited;
  probeDeposit: string;
  fines?: AuditFines;
}

export declare enum Identity {
  IDENTITY_UNSPECIFIED = 0,
  IDENTITY_SAME = 1,
  IDENTITY_UNSURE = 2,
  IDENTITY_DIFFERS = 3,
  IDENTITY_WITHHELD = 4,
  IDENTITY_INFLATED = 5,
  IDENTITY_UNLIKE = 6,
}

export interface Quality {
  thousandths: number;
}

export interface Verdict {
  identity: Identity;
  quality?: Quality;
}

export interface Vote {
  auditor: string;
  verdict?: Verdict;
}

export declare enum Round {
  ROUND_UNSPECIFIED = 0,
  ROUND_FIRST = 1,
  ROUND_SECOND = 2,
}

export interface Audit {
  id: Uint8Array;
  sessionId: Uint8Array;
  operator: string;
  point: bigint;
}

export declare enum Stage {
  STAGE_UNSPECIFIED = 0,
  STAGE_FIRST = 1,
  STAGE_SECOND = 2,
  STAGE_PASSED = 3,
  STAGE_FAILED = 4,
  STAGE_CONVICTED = 5,
  STAGE_LAPSED = 6,
}

export declare enum Again {
  AGAIN_NO = 0,
  AGAIN_LAPSED = 1,
  AGAIN_DISPUTED = 2,
  AGAIN_WITHHELD = 3,
  AGAIN_SUSPECTED = 4,
  AGAIN_FAILED = 5,
}

export interface Case {
  audit?: Audit;
  service: string;
  start: bigint;
  judged: boolean;
  stage: Stage;
  again: Again;
  first: Vote[];
  second: Vote[];
  found?: Verdict;
  decidedAt: bigint;
  planted?: Verdict;
}

export interface Member {
  auditor: string;
  power: bigint;
  vrfKey: Uint8Array;
}

export interface Panel {
  members: Member[];
}

export interface Docket {
  start: bigint;
  seed: Uint8Array;
  opens: bigint;
  closes: bigint;
  params?: AuditParams;
  panel: Member[];
  audits: number;
  secondSeed: Uint8Array;
}

export interface Auditor {
  address: string;
  bond: string;
  leaving: boolean;
  until: bigint;
  earned: string;
  lost: string;
  verdicts: bigint;
  apart: bigint;
  unrevealed: bigint;
  skipped: bigint;
}

export interface AuditStanding {
  score: number;
  audits: bigint;
  failures: bigint;
  convictions: number;
}

export interface QualityRecord {
  mean: number;
  square: number;
  count: number;
}

export interface Reputation {
  operator: string;
  service: string;
  standing?: AuditStanding;
  quality?: QualityRecord;
}

export interface AuditGenesis {
  auditors: Auditor[];
  reputations: Reputation[];
  pool: Coin[];
  choices: AuditChoice[];
  probes: Probe[];
  probers: Prober[];
}

export interface AuditChoice {
  app: string;
  audited: Audited;
}

export interface Probe {
  operator: string;
  commitment: Uint8Array;
  plantedAt: bigint;
  deposit: string;
}

export interface Prober {
  operator: string;
  planted: bigint;
  opened: bigint;
  unopened: bigint;
}

export interface Commitment {
  auditId: Uint8Array;
  digest: Uint8Array;
}

export interface Revealed {
  auditId: Uint8Array;
  salt: Uint8Array;
  verdict?: Verdict;
}

export interface CuWeights {
  freshIn: number;
  cachedIn: number;
  out: number;
}

export interface Service {
  id: string;
  source: string;
  modelHash: Uint8Array;
  tokenizerHash: Uint8Array;
  templateHash: Uint8Array;
  precision: string;
  kernelClass: string;
  contextMax: number;
  cuWeights?: CuWeights;
  priceStart: bigint;
  denom: string;
  identityThreshold: number;
}

export interface Offer {
  service: string;
  ask: bigint;
  capacity: bigint;
}

export interface PayoutShare {
  to: string;
  share: number;
}

export declare enum Standing {
  STANDING_UNSPECIFIED = 0,
  STANDING_BONDED = 1,
  STANDING_JAILED = 2,
  STANDING_UNBONDING = 3,
}

export interface Supplier {
  operator: string;
  owner: string;
  stake: string;
  relayKey: Uint8Array;
  endpoint: string;
  offers: Offer[];
  payouts: PayoutShare[];
  standing: Standing;
  until: bigint;
}

export interface Gateway {
  address: string;
  stake: string;
  relayKey: Uint8Array;
  exposure: string;
  standing: Standing;
  until: bigint;
  backings: Backing[];
}

export interface Backing {
  denom: string;
  amount: string;
  exposure: string;
}

export interface Escrow {
  app: string;
  denom: string;
  amount: string;
}

export interface Delegation {
  app: string;
  gateway: string;
  denom: string;
  limit: string;
  expires: bigint;
}

export interface Windows {
  grace: bigint;
  claim: bigint;
  proof: bigint;
  audit: bigint;
}

export interface Shares {
  supplier: number;
  source: number;
  audits: number;
  treasury: number;
  burn: number;
}

export interface Proving {
  rate: number;
  draws: number;
  alwaysAbove: string;
  penaltyRate: number;
  penaltyMin: string;
}

export interface CoinValue {
  stake: bigint;
  units: bigint;
}

export interface AllowedCoin {
  denom: string;
  value?: CoinValue;
}

export interface PriceParams {
  targetUtilisation: number;
  gainMin: number;
  gainMax: number;
  gainStart: number;
  gainStep: number;
  stepMax: number;
  phiLo: number;
  phiHi: number;
  payerCap: number;
  operatorCap: number;
  scarcity: number;
}

export interface Params {
  sessionLength: bigint;
  windows?: Windows;
  relayMax: bigint;
  suppliersPerSession: number;
  inflightMax: number;
  requestMaxBytes: number;
  checkpointCu: bigint;
  shares?: Shares;
  proving?: Proving;
  price?: PriceParams;
  supplierStakeMin: string;
  gatewayStakeMin: string;
  ownerCap: string;
  unbonding: bigint;
  jail: bigint;
  history: bigint;
  settlementsPerBlock: number;
  coins: AllowedCoin[];
  audits?: AuditParams;
}

export interface Terms {
  protocolVersion: number;
  price: bigint;
  denom: string;
  source: string;
  cuWeights?: CuWeights;
  tokenizerHash: Uint8Array;
  templateHash: Uint8Array;
  contextMax: number;
  windows?: Windows;
  relayMax: bigint;
  inflightMax: number;
  requestMaxBytes: number;
  checkpointCu: bigint;
  shares?: Shares;
  proving?: Proving;
  value?: CoinValue;
  audited: Audited;
}

export interface Seat {
  operator: string;
  relayKey: Uint8Array;
  endpoint: string;
  payouts: PayoutShare[];
}

export interface Session {
  id: Uint8Array;
  service: string;
  app: string;
  gateway: string;
  gatewayKey: Uint8Array;
  start: bigint;
  end: bigint;
  budget: string;
  seats: Seat[];
  terms?: Terms;
}

export interface ClaimRoot {
  sessionId: Uint8Array;
  root: Uint8Array;
  sum: bigint;
  count: bigint;
  unackedFrom: bigint;
}

export declare enum Phase {
  PHASE_UNSPECIFIED = 0,
  PHASE_CLAIMED = 1,
  PHASE_PROOF_DUE = 2,
  PHASE_PROVEN = 3,
  PHASE_SPARED = 4,
  PHASE_REFUTED = 5,
  PHASE_EXPIRED = 6,
  PHASE_CONVICTED = 7,
  PHASE_FINED = 8,
}

export interface Claim {
  operator: string;
  root?: ClaimRoot;
  phase: Phase;
  claimedAt: bigint;
}

export interface Settled {
  sessionId: Uint8Array;
  operator: string;
  service: string;
  app: string;
  gateway: string;
  root?: ClaimRoot;
  phase: Phase;
  price: bigint;
  denom: string;
  cost: string;
  split?: Split;
  slashed: string;
  height: bigint;
  reason: string;
}

export interface Split {
  supplier: string;
  source: string;
  audits: string;
  treasury: string;
  burn: string;
}

export interface PriceState {
  service: string;
  x: bigint;
  ubar: number;
  gain: number;
  lastSign: number;
  price: bigint;
  since: bigint;
}

export interface PricePoint {
  since: bigint;
  price: bigint;
  ubar: number;
  gain: number;
  admitted: bigint;
  capacity: bigint;
}

export interface Usage {
  freshIn: bigint;
  cachedIn: bigint;
  out: bigint;
}

export interface Acked {
  count: bigint;
  cu: bigint;
  floor: bigint;
  hash: Uint8Array;
}

export interface AckEntry {
  relayId: Uint8Array;
  cu: bigint;
}

export interface RelayRequest {
  chainId: string;
  sessionId: Uint8Array;
  supplier: string;
  relayId: Uint8Array;
  seq: bigint;
  requestDigest: Uint8Array;
  maxCu: bigint;
  issuedAt: bigint;
  acked?: Acked;
}

export interface SignedRequest {
  body?: RelayRequest;
  signature: Uint8Array;
}

export interface Ack {
  chainId: string;
  sessionId: Uint8Array;
  supplier: string;
  acked?: Acked;
}

export interface SignedAck {
  body?: Ack;
  signature: Uint8Array;
}

export interface Envelope {
  request?: SignedRequest;
  entries: AckEntry[];
}

export interface AckUpdate {
  ack?: SignedAck;
  entries: AckEntry[];
}

export declare enum Status {
  STATUS_UNSPECIFIED = 0,
  STATUS_COMPLETED = 1,
  STATUS_CUT = 2,
  STATUS_FAILED = 3,
}

export interface Receipt {
  sessionId: Uint8Array;
  relayId: Uint8Array;
  requestDigest: Uint8Array;
  responseRoot: Uint8Array;
  chunkCount: bigint;
  usage?: Usage;
  cu: bigint;
  status: Status;
  startedAt: bigint;
  firstTokenAt: bigint;
  finishedAt: bigint;
  evidenceRoot: Uint8Array;
}

export interface SignedReceipt {
  body?: Receipt;
  signature: Uint8Array;
}

export interface AckProof {
  before: Uint8Array;
  tail: AckEntry[];
  request?: SignedRequest;
  ack?: SignedAck;
}

export interface Leaf {
  request?: SignedRequest;
  receipt?: SignedReceipt;
  ack?: AckProof;
}

export interface Opening {
  leaf?: Leaf;
  path: Uint8Array;
}

export interface MsgDone {
}

export interface MsgListService {
  source: string;
  service?: Service;
}

export interface MsgStakeSupplier {
  owner: string;
  operator: string;
  add?: Coin;
  relayKey: Uint8Array;
  endpoint: string;
  offers: Offer[];
  payouts: PayoutShare[];
}

export interface MsgUpdateSupplier {
  operator: string;
  relayKey: Uint8Array;
  endpoint: string;
  offers: Offer[];
}

export interface MsgUnstakeSupplier {
  owner: string;
  operator: string;
}

export interface MsgUnjailSupplier {
  operator: string;
}

export interface MsgStakeGateway {
  gateway: string;
  add?: Coin;
  relayKey: Uint8Array;
}

export interface MsgUnstakeGateway {
  gateway: string;
}

export interface MsgDeposit {
  app: string;
  coin?: Coin;
}

export interface MsgWithdraw {
  app: string;
  coin?: Coin;
}

export interface MsgDelegate {
  app: string;
  gateway: string;
  limit?: Coin;
  expires: bigint;
}

export interface MsgUndelegate {
  app: string;
  gateway: string;
}

export interface MsgOpenSession {
  gateway: string;
  app: string;
  service: string;
  start: bigint;
  budget: string;
}

export interface MsgSubmitClaims {
  operator: string;
  claims: ClaimRoot[];
}

export interface Proof {
  sessionId: Uint8Array;
  openings: Opening[];
}

export interface MsgSubmitProofs {
  operator: string;
  proofs: Proof[];
}

export interface MsgUpdateParams {
  authority: string;
  params?: Params;
}

export interface MsgBondAuditor {
  auditor: string;
  add?: Coin;
}

export interface MsgUnbondAuditor {
  auditor: string;
}

export interface MsgCommitVerdicts {
  auditor: string;
  round: Round;
  commitments: Commitment[];
}

export interface MsgRevealVerdicts {
  auditor: string;
  start: bigint;
  ticket: Uint8Array;
  verdicts: Revealed[];
}

export interface MsgPlantRinger {
  operator: string;
  commitment: Uint8Array;
}

export interface MsgOpenRinger {
  operator: string;
  auditId: Uint8Array;
  salt: Uint8Array;
  expected?: Verdict;
}

export interface MsgProveOvercount {
  accuser: string;
  sessionId: Uint8Array;
  operator: string;
  receipt?: SignedReceipt;
  opening?: Opening;
}

export interface MsgChooseAudit {
  app: string;
  audited: Audited;
}

export interface MsgPlantProbe {
  operator: string;
  commitment: Uint8Array;
}

export interface MsgOpenProbe {
  operator: string;
  salt: Uint8Array;
  app: string;
  start: bigint;
}

export interface QueryParams {
}

export interface QueryService {
  id: string;
}

export interface QueryServices {
  after: string;
  limit: number;
}

export interface AnswerServices {
  services: Service[];
}

export interface QueryPrice {
  service: string;
}

export interface QueryPriceHistory {
  service: string;
  before: bigint;
  limit: number;
}

export interface AnswerPriceHistory {
  points: PricePoint[];
  predicted?: PricePoint;
}

export interface QuerySupplier {
  operator: string;
}

export interface QuerySuppliers {
  after: string;
  limit: number;
}

export interface AnswerSuppliers {
  suppliers: Supplier[];
}

export interface QueryGateway {
  address: string;
}

export interface QueryApp {
  app: string;
}

export interface AnswerApp {
  escrow: Escrow[];
  delegations: Delegation[];
  audited: Audited;
}

export interface QuerySession {
  id: Uint8Array;
}

export interface QuerySessions {
  party: string;
  after: Uint8Array;
  limit: number;
}

export interface AnswerSessions {
  sessions: Session[];
}

export interface QueryClaim {
  sessionId: Uint8Array;
  operator: string;
}

export interface QuerySettled {
  sessionId: Uint8Array;
  operator: string;
}

export interface QueryClock {
}

export interface AnswerClock {
  height: bigint;
  start: bigint;
  nextStart: bigint;
}

export interface QuerySeed {
  height: bigint;
}

export interface AnswerSeed {
  height: bigint;
  seed: Uint8Array;
}

export interface QueryInvariants {
}

export interface Invariant {
  purse: string;
  denom: string;
  owed: string;
}

export interface AnswerInvariants {
  invariants: Invariant[];
}

export interface QueryAudit {
  id: Uint8Array;
}

export interface QueryAudits {
  start: bigint;
  sessionId: Uint8Array;
  supplier: string;
  auditor: string;
  after: Uint8Array;
  limit: number;
}

export interface AnswerAudits {
  audits: Case[];
}

export interface QueryDocket {
  start: bigint;
}

export interface QueryReputation {
  operator: string;
}

export interface AnswerReputation {
  reputations: Reputation[];
}

export interface QueryAuditor {
  address: string;
}

export interface QueryAuditors {
  after: string;
  limit: number;
}

export interface AnswerAuditors {
  auditors: Auditor[];
}

export interface QueryProber {
  operator: string;
}

export interface Genesis {
  authority: string;
  params?: Params;
  services: Service[];
  suppliers: Supplier[];
  gateways: Gateway[];
  escrow: Escrow[];
  delegations: Delegation[];
  audits?: AuditGenesis;
}

export interface MarketQueries {
  params(question?: DeepPartial<QueryParams>): Promise<Params>;
  service(question: DeepPartial<QueryService>): Promise<Service>;
  services(question: DeepPartial<QueryServices>): Promise<AnswerServices>;
  price(question: DeepPartial<QueryPrice>): Promise<PriceState>;
  priceHistory(question: DeepPartial<QueryPriceHistory>): Promise<AnswerPriceHistory>;
  supplier(question: DeepPartial<QuerySupplier>): Promise<Supplier>;
  suppliers(question: DeepPartial<QuerySuppliers>): Promise<AnswerSuppliers>;
  gateway(question: DeepPartial<QueryGateway>): Promise<Gateway>;
  app(question: DeepPartial<QueryApp>): Promise<AnswerApp>;
  session(question: DeepPartial<QuerySession>): Promise<Session>;
  sessions(question: DeepPartial<QuerySessions>): Promise<AnswerSessions>;
  claim(question: DeepPartial<QueryClaim>): Promise<Claim>;
  settled(question: DeepPartial<QuerySettled>): Promise<Settled>;
  clock(question?: DeepPartial<QueryClock>): Promise<AnswerClock>;
  seed(question: DeepPartial<QuerySeed>): Promise<AnswerSeed>;
  audit(question: DeepPartial<QueryAudit>): Promise<Case>;
  audits(question: DeepPartial<QueryAudits>): Promise<AnswerAudits>;
  docket(question: DeepPartial<QueryDocket>): Promise<Docket>;
  reputation(question: DeepPartial<QueryReputation>): Promise<AnswerReputation>;
  auditor(question: DeepPartial<QueryAuditor>): Promise<Auditor>;
  auditors(question: DeepPartial<QueryAuditors>): Promise<AnswerAuditors>;
  prober(question: DeepPartial<QueryProber>): Promise<Prober>;
  invariants(question?: DeepPartial<QueryInvariants>): Promise<AnswerInvariants>;
}

export interface MessageTypes {
  AuditPenalties: MessageType<AuditPenalties>;
  AuditTest: MessageType<AuditTest>;
  AuditFines: MessageType<AuditFines>;
  AuditParams: MessageType<AuditParams>;
  Quality: MessageType<Quality>;
  Verdict: MessageType<Verdict>;
  Vote: MessageType<Vote>;
  Audit: MessageType<Audit>;
  Case: MessageType<Case>;
  Member: MessageType<Member>;
  Panel: MessageType<Panel>;
  Docket: MessageType<Docket>;
  Auditor: MessageType<Auditor>;
  AuditStanding: MessageType<AuditStanding>;
  QualityRecord: MessageType<QualityRecord>;
  Reputation: MessageType<Reputation>;
  AuditGenesis: MessageType<AuditGenesis>;
  AuditChoice: MessageType<AuditChoice>;
  Probe: MessageType<Probe>;
  Prober: MessageType<Prober>;
  Commitment: MessageType<Commitment>;
  Revealed: MessageType<Revealed>;
  CuWeights: MessageType<CuWeights>;
  Service: MessageType<Service>;
  Offer: MessageType<Offer>;
  PayoutShare: MessageType<PayoutShare>;
  Supplier: MessageType<Supplier>;
  Gateway: MessageType<Gateway>;
  Backing: MessageType<Backing>;
  Escrow: MessageType<Escrow>;
  Delegation: MessageType<Delegation>;
  Windows: MessageType<Windows>;
  Shares: MessageType<Shares>;
  Proving: MessageType<Proving>;
  CoinValue: MessageType<CoinValue>;
  AllowedCoin: MessageType<AllowedCoin>;
  PriceParams: MessageType<PriceParams>;
  Params: MessageType<Params>;
  Terms: MessageType<Terms>;
  Seat: MessageType<Seat>;
  Session: MessageType<Session>;
  ClaimRoot: MessageType<ClaimRoot>;
  Claim: MessageType<Claim>;
  Settled: MessageType<Settled>;
  Split: MessageType<Split>;
  PriceState: MessageType<PriceState>;
  PricePoint: MessageType<PricePoint>;
  Usage: MessageType<Usage>;
  Acked: MessageType<Acked>;
  AckEntry: MessageType<AckEntry>;
  RelayRequest: MessageType<RelayRequest>;
  SignedRequest: MessageType<SignedRequest>;
  Ack: MessageType<Ack>;
  SignedAck: MessageType<SignedAck>;
  Envelope: MessageType<Envelope>;
  AckUpdate: MessageType<AckUpdate>;
  Receipt: MessageType<Receipt>;
  SignedReceipt: MessageType<SignedReceipt>;
  AckProof: MessageType<AckProof>;
  Leaf: MessageType<Leaf>;
  Opening: MessageType<Opening>;
  MsgDone: MessageType<MsgDone>;
  MsgListService: MessageType<MsgListService>;
  MsgStakeSupplier: MessageType<MsgStakeSupplier>;
  MsgUpdateSupplier: MessageType<MsgUpdateSupplier>;
  MsgUnstakeSupplier: MessageType<MsgUnstakeSupplier>;
  MsgUnjailSupplier: MessageType<MsgUnjailSupplier>;
  MsgStakeGateway: MessageType<MsgStakeGateway>;
  MsgUnstakeGateway: MessageType<MsgUnstakeGateway>;
  MsgDeposit: MessageType<MsgDeposit>;
  MsgWithdraw: MessageType<MsgWithdraw>;
  MsgDelegate: MessageType<MsgDelegate>;
  MsgUndelegate: MessageType<MsgUndelegate>;
  MsgOpenSession: MessageType<MsgOpenSession>;
  MsgSubmitClaims: MessageType<MsgSubmitClaims>;
  Proof: MessageType<Proof>;
  MsgSubmitProofs: MessageType<MsgSubmitProofs>;
  MsgUpdateParams: MessageType<MsgUpdateParams>;
  MsgBondAuditor: MessageType<MsgBondAuditor>;
  MsgUnbondAuditor: MessageType<MsgUnbondAuditor>;
  MsgCommitVerdicts: MessageType<MsgCommitVerdicts>;
  MsgRevealVerdicts: MessageType<MsgRevealVerdicts>;
  MsgPlantRinger: MessageType<MsgPlantRinger>;
  MsgOpenRinger: MessageType<MsgOpenRinger>;
  MsgProveOvercount: MessageType<MsgProveOvercount>;
  MsgChooseAudit: MessageType<MsgChooseAudit>;
  MsgPlantProbe: MessageType<MsgPlantProbe>;
  MsgOpenProbe: MessageType<MsgOpenProbe>;
  QueryParams: MessageType<QueryParams>;
  QueryService: MessageType<QueryService>;
  QueryServices: MessageType<QueryServices>;
  AnswerServices: MessageType<AnswerServices>;
  QueryPrice: MessageType<QueryPrice>;
  QueryPriceHistory: MessageType<QueryPriceHistory>;
  AnswerPriceHistory: MessageType<AnswerPriceHistory>;
  QuerySupplier: MessageType<QuerySupplier>;
  QuerySuppliers: MessageType<QuerySuppliers>;
  AnswerSuppliers: MessageType<AnswerSuppliers>;
  QueryGateway: MessageType<QueryGateway>;
  QueryApp: MessageType<QueryApp>;
  AnswerApp: MessageType<AnswerApp>;
  QuerySession: MessageType<QuerySession>;
  QuerySessions: MessageType<QuerySessions>;
  AnswerSessions: MessageType<AnswerSessions>;
  QueryClaim: MessageType<QueryClaim>;
  QuerySettled: MessageType<QuerySettled>;
  QueryClock: MessageType<QueryClock>;
  AnswerClock: MessageType<AnswerClock>;
  QuerySeed: MessageType<QuerySeed>;
  AnswerSeed: MessageType<AnswerSeed>;
  QueryInvariants: MessageType<QueryInvariants>;
  Invariant: MessageType<Invariant>;
  AnswerInvariants: MessageType<AnswerInvariants>;
  QueryAudit: MessageType<QueryAudit>;
  QueryAudits: MessageType<QueryAudits>;
  AnswerAudits: MessageType<AnswerAudits>;
  QueryDocket: MessageType<QueryDocket>;
  QueryReputation: MessageType<QueryReputation>;
  AnswerReputation: MessageType<AnswerReputation>;
  QueryAuditor: MessageType<QueryAuditor>;
  QueryAuditors: MessageType<QueryAuditors>;
  AnswerAuditors: MessageType<AnswerAuditors>;
  QueryProber: MessageType<QueryProber>;
  Genesis: MessageType<Genesis>;
}
