package app

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"cosmossdk.io/log"
	abci "github.com/cometbft/cometbft/abci/types"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"lode/x/beacon"
	beacontypes "lode/x/beacon/types"
	"lode/x/market"
	"lode/x/market/border"
	markettypes "lode/x/market/types"
)

// chain is the application with one validator, driven block by block as CometBFT would.
type chain struct {
	*App
	t         testing.TB
	txs       client.TxConfig
	key       cmted25519.PrivKey
	validator *cmttypes.Validator
	beacon    [border.KeySize]byte
	accounts  map[string]*signer
	time      time.Time
}

// signer is an account whose transactions the chain takes.
type signer struct {
	key              secp256k1.PrivKey
	number, sequence uint64
}

// beginning is what a chain of a test begins with.
type beginning struct {
	chainID string
	time    time.Time
	beacon  [border.KeySize]byte
	secrets [][]byte
	coins   sdk.Coins
	market  *markettypes.Genesis
	// purses hold what the market's records owe.
	purses []banktypes.Balance
	// operator is the secret of the account that runs the validator; none where it is empty.
	operator []byte
	// db is in memory where it is nil.
	db dbm.DB
	// blockGas is without limit where it is 0.
	blockGas int64
}

func begin(t testing.TB, from beginning) *chain {
	t.Helper()
	options := simtestutil.AppOptionsMap{flags.FlagHome: t.TempDir()}
	if from.db == nil {
		from.db = dbm.NewMemDB()
	}
	app, err := New(log.NewNopLogger(), from.db, nil, true, options, baseapp.SetChainID(from.chainID), baseapp.SetIAVLDisableFastNode(true))
	if err != nil {
		t.Fatal(err)
	}
	key := cmted25519.GenPrivKeyFromSecret([]byte("validator"))
	made := &chain{
		App:       app,
		t:         t,
		txs:       authtx.NewTxConfig(app.codec, authtx.DefaultSignModes),
		validator: cmttypes.NewValidator(key.PubKey(), 1),
		key:       key,
		beacon:    from.beacon,
		accounts:  map[string]*signer{},
		time:      from.time,
	}
	made.init(from)
	return made
}

// rich is the account of someChain; its coins are also what the validator has at stake.
var rich = bytes.Repeat([]byte{1}, 32)

// someChain has made two blocks, so that the next carries extensions of votes.
func someChain(t testing.TB) *chain {
	t.Helper()
	genesis, err := market.Preset(border.Dev)
	if err != nil {
		t.Fatal(err)
	}
	chain := begin(t, beginning{
		chainID: "lode-test",
		time:    time.Unix(1_700_000_000, 0),
		beacon:  [border.KeySize]byte{9},
		secrets: [][]byte{rich},
		coins:   sdk.NewCoins(sdk.NewInt64Coin(Denom, 1_000_000_000_000)),
		market:  genesis,
	})
	chain.block(chain.time.Add(time.Second))
	chain.block(chain.time.Add(time.Second))
	return chain
}

func (c *chain) init(from beginning) {
	c.t.Helper()
	var accounts []authtypes.GenesisAccount
	var balances []banktypes.Balance
	for i, secret := range from.secrets {
		account := address(secret)
		accounts = append(accounts, authtypes.NewBaseAccount(account, nil, uint64(i), 0))
		balances = append(balances, banktypes.Balance{Address: account.String(), Coins: from.coins})
		c.accounts[account.String()] = &signer{key: secp256k1.PrivKey{Key: secret}, number: uint64(i)}
	}
	balances = append(balances, from.purses...)
	set := cmttypes.NewValidatorSet([]*cmttypes.Validator{c.validator})
	states, err := simtestutil.GenesisStateWithValSet(c.codec, c.DefaultGenesis(), set, accounts, balances...)
	c.must(err)
	states[market.Name] = c.codec.MustMarshalJSON(from.market)
	public, err := border.PublicKey(c.beacon)
	c.must(err)
	operator := sdk.AccAddress(c.validator.Address).String()
	if len(from.operator) > 0 {
		operator = address(from.operator).String()
		before, after := sdk.ValAddress(c.validator.Address), sdk.ValAddress(address(from.operator))
		states["staking"] = bytes.ReplaceAll(states["staking"], []byte(before.String()), []byte(after.String()))
	}
	states[beacon.Name] = c.codec.MustMarshalJSON(&beacontypes.Genesis{
		Keys: []*beacontypes.Key{{Operator: operator, Key: public[:]}},
	})
	text, err := json.Marshal(states)
	c.must(err)
	params := cmttypes.DefaultConsensusParams()
	params.ABCI.VoteExtensionsEnableHeight = 1
	if from.blockGas != 0 {
		params.Block.MaxGas = from.blockGas
	}
	consensus := params.ToProto()
	_, err = c.InitChain(&abci.RequestInitChain{
		ChainId: from.chainID, Time: from.time, InitialHeight: 1, ConsensusParams: &consensus, AppStateBytes: text,
	})
	c.must(err)
}

// block makes the next block, with what the validator says of its seed before the transactions.
func (c *chain) block(at time.Time, txs ...[]byte) *abci.ResponseFinalizeBlock {
	c.t.Helper()
	height := c.LastBlockHeight() + 1
	if height > 1 {
		txs = append([][]byte{c.commit(c.extension(height))}, txs...)
	}
	c.time = at
	response, err := c.FinalizeBlock(&abci.RequestFinalizeBlock{
		Height: height, Time: at, Txs: txs, ProposerAddress: c.validator.Address,
	})
	c.must(err)
	_, err = c.Commit()
	c.must(err)
	remember(c.t, c.LastCommitID().Hash)
	if height > 1 {
		response.TxResults = response.TxResults[1:]
	}
	return response
}

// extension is what the validator says of the seed of a height.
func (c *chain) extension(height int64) []byte {
	c.t.Helper()
	ctx := c.ctx()
	target := uint64(height)
	base, err := c.App.beacon.SeedOf(ctx, target-2)
	c.must(err)
	proof, err := border.Prove(c.beacon, base, target)
	c.must(err)
	return proof[:]
}

// commit is an extended commit with one vote.
func (c *chain) commit(extension []byte) []byte {
	c.t.Helper()
	commit := abci.ExtendedCommitInfo{Votes: []abci.ExtendedVoteInfo{{
		Validator:     abci.Validator{Address: c.validator.Address, Power: c.validator.VotingPower},
		BlockIdFlag:   cmtproto.BlockIDFlagCommit,
		VoteExtension: extension,
	}}}
	bytes, err := commit.Marshal()
	c.must(err)
	return bytes
}

// ctx reads the last committed state.
func (c *chain) ctx() sdk.Context {
	return sdk.NewContext(c.CommitMultiStore().CacheMultiStore(), cmtproto.Header{Height: c.LastBlockHeight(), ChainID: c.ChainID(), Time: c.time}, true, log.NewNopLogger())
}

// sign makes a transaction of one message, given as a transaction holds it.
func (c *chain) sign(secret []byte, typeURL string, value []byte) []byte {
	c.t.Helper()
	return c.signAll(secret, []*codectypes.Any{{TypeUrl: typeURL, Value: value}})
}

// signAll makes a transaction of some messages.
func (c *chain) signAll(secret []byte, packed []*codectypes.Any) []byte {
	c.t.Helper()
	key := secp256k1.PrivKey{Key: secret}
	account := c.accounts[address(secret).String()]
	messages := make([]sdk.Msg, len(packed))
	for i, one := range packed {
		c.must(c.codec.InterfaceRegistry().UnpackAny(one, &messages[i]))
	}
	unsigned := c.txs.NewTxBuilder()
	c.must(unsigned.SetMsgs(messages...))
	unsigned.SetGasLimit(gasLimit * uint64(len(messages)))
	blank := signing.SignatureV2{
		PubKey: key.PubKey(), Sequence: account.sequence, Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT},
	}
	c.must(unsigned.SetSignatures(blank))
	signer := authsigning.SignerData{
		ChainID: c.ChainID(), AccountNumber: account.number, Sequence: account.sequence,
		Address: address(secret).String(), PubKey: key.PubKey(),
	}
	signature, err := tx.SignWithPrivKey(c.ctx(), signing.SignMode_SIGN_MODE_DIRECT, signer, unsigned, &account.key, c.txs, account.sequence)
	c.must(err)
	c.must(unsigned.SetSignatures(signature))
	bytes, err := c.txs.TxEncoder()(unsigned.GetTx())
	c.must(err)
	account.sequence++
	return bytes
}

// gasLimit is more than any transaction of a test needs.
const gasLimit = 50_000_000

// signMessage makes a transaction of one message.
func (c *chain) signMessage(secret []byte, message sdk.Msg) []byte {
	c.t.Helper()
	value, err := c.codec.Marshal(message)
	c.must(err)
	return c.sign(secret, sdk.MsgTypeURL(message), value)
}

// ask puts a question to the application as an RPC does.
func (c *chain) ask(path string, question, answer codec.ProtoMarshaler) {
	c.t.Helper()
	data, err := question.Marshal()
	c.must(err)
	response, err := c.Query(context.Background(), &abci.RequestQuery{Path: path, Data: data})
	c.must(err)
	if response.Code != 0 {
		c.t.Fatalf("%s: %s", path, response.Log)
	}
	c.must(answer.Unmarshal(response.Value))
}

func address(secret []byte) sdk.AccAddress {
	key := secp256k1.PrivKey{Key: secret}
	return sdk.AccAddress(key.PubKey().Address())
}

func (c *chain) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
