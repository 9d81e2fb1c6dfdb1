package app

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/cosmos/cosmos-sdk/types/mempool"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	markettypes "lode/x/market/types"
)

// lane is where a transaction waits. Claims and proofs have a time in which they must be made, and so
// a lane of their own: neither other traffic nor its fees can push them out of it.
type lane int

const (
	claims lane = iota
	general
	laneCount
)

// room is how many transactions wait in each lane at most. Together they are fewer than CometBFT's
// own mempool holds, so that one lane that is full does not close the other.
var room = [laneCount]int{claims: 1_000, general: 3_500}

// laneOf is the lane of a transaction: all of its messages must be claims, proofs or verdicts.
func laneOf(tx sdk.Tx) lane {
	messages := tx.GetMsgs()
	for _, message := range messages {
		switch message.(type) {
		case *markettypes.MsgSubmitClaims, *markettypes.MsgSubmitProofs,
			*markettypes.MsgCommitVerdicts, *markettypes.MsgRevealVerdicts:
		default:
			return general
		}
	}
	if len(messages) == 0 {
		return general
	}
	return claims
}

// place is what tells waiting transactions apart: who signs first, and with which sequence.
type place struct {
	signer   string
	sequence uint64
}

// lanes are the transactions that wait for a block, in the order in which they came.
type lanes struct {
	mutex   sync.Mutex
	waiting [laneCount]*list.List
	places  map[place]entry
}

// entry is where a transaction waits.
type entry struct {
	lane    lane
	element *list.Element
}

var _ mempool.ExtMempool = (*lanes)(nil)

func newLanes() *lanes {
	return &lanes{waiting: [laneCount]*list.List{list.New(), list.New()}, places: map[place]entry{}}
}

// Insert lets a transaction wait. It takes the place of one with the same signer and sequence.
func (l *lanes) Insert(_ context.Context, tx sdk.Tx) error {
	at, err := placeOf(tx)
	if err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	to := laneOf(tx)
	before, replaced := l.places[at]
	if l.waiting[to].Len() >= room[to] && (!replaced || before.lane != to) {
		return fmt.Errorf("%d transactions of this kind wait already: %w", room[to], mempool.ErrMempoolTxMaxCapacity)
	}
	l.take(at)
	l.places[at] = entry{lane: to, element: l.waiting[to].PushBack(tx)}
	return nil
}

// Remove forgets a transaction.
func (l *lanes) Remove(tx sdk.Tx) error {
	at, err := placeOf(tx)
	if err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.take(at) {
		return mempool.ErrTxNotFound
	}
	return nil
}

func (l *lanes) take(at place) bool {
	found, ok := l.places[at]
	if ok {
		l.waiting[found.lane].Remove(found.element)
		delete(l.places, at)
	}
	return ok
}

// CountTx is how many transactions wait.
func (l *lanes) CountTx() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.places)
}

// in is a lane as it is now.
func (l *lanes) in(lane lane) []sdk.Tx {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	txs := make([]sdk.Tx, 0, l.waiting[lane].Len())
	for element := l.waiting[lane].Front(); element != nil; element = element.Next() {
		txs = append(txs, element.Value.(sdk.Tx))
	}
	return txs
}

// SelectBy shows all transactions that wait, claims first, until `next` has enough.
func (l *lanes) SelectBy(_ context.Context, _ [][]byte, next func(sdk.Tx) bool) {
	for lane := range laneCount {
		for _, tx := range l.in(lane) {
			if !next(tx) {
				return
			}
		}
	}
}

// Select shows them one by one.
func (l *lanes) Select(context.Context, [][]byte) mempool.Iterator {
	return iterate(append(l.in(claims), l.in(general)...))
}

func iterate(txs []sdk.Tx) mempool.Iterator {
	if len(txs) == 0 {
		return nil
	}
	return iterator(txs)
}

type iterator []sdk.Tx

func (i iterator) Next() mempool.Iterator { return iterate(i[1:]) }
func (i iterator) Tx() sdk.Tx             { return i[0] }

func placeOf(tx sdk.Tx) (place, error) {
	signed, ok := tx.(authsigning.SigVerifiableTx)
	if !ok {
		return place{}, fmt.Errorf("a transaction of type %T has no signatures", tx)
	}
	signatures, err := signed.GetSignaturesV2()
	if err != nil {
		return place{}, err
	}
	if len(signatures) == 0 {
		return place{}, fmt.Errorf("the transaction has no signature")
	}
	// A signature may leave out its key, which the chain has since the account's first transaction.
	signers, err := signed.GetSigners()
	if err != nil {
		return place{}, err
	}
	if len(signers) == 0 {
		return place{}, fmt.Errorf("nobody has to sign the transaction")
	}
	return place{signer: string(signers[0]), sequence: signatures[0].Sequence}, nil
}
