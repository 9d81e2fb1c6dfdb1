package app

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	transfertypes "github.com/cosmos/ibc-go/v10/modules/apps/transfer/types"
	clienttypes "github.com/cosmos/ibc-go/v10/modules/core/02-client/types"
	channeltypes "github.com/cosmos/ibc-go/v10/modules/core/04-channel/types"
	ibcexported "github.com/cosmos/ibc-go/v10/modules/core/exported"
	localhost "github.com/cosmos/ibc-go/v10/modules/light-clients/09-localhost"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
)

// Coins go out through a channel and come in through another one as an IBC coin. The chain is its
// own other side here, so that no relayer is needed: the messages are those that one would send.
func TestCoinsTravelOverIBC(t *testing.T) {
	chain := someChain(t)
	me, height := address(rich).String(), clienttypes.NewHeight(0, 1)
	const port, version, out, in = transfertypes.PortID, transfertypes.V1, "channel-0", "channel-1"
	relay := func(message sdk.Msg) []abci.Event {
		result := chain.block(chain.time.Add(time.Second), chain.signMessage(rich, message)).TxResults[0]
		if result.Code != 0 {
			t.Fatalf("%T: %s", message, result.Log)
		}
		return result.Events
	}
	hops := []string{ibcexported.LocalhostConnectionID}
	relay(channeltypes.NewMsgChannelOpenInit(port, version, channeltypes.UNORDERED, hops, port, me))
	relay(channeltypes.NewMsgChannelOpenTry(port, version, channeltypes.UNORDERED, hops, port, out, version, localhost.SentinelProof, height, me))
	relay(channeltypes.NewMsgChannelOpenAck(port, out, in, version, localhost.SentinelProof, height, me))
	relay(channeltypes.NewMsgChannelOpenConfirm(port, in, localhost.SentinelProof, height, me))

	until := uint64(chain.time.Add(time.Hour).UnixNano())
	coin := sdk.NewInt64Coin(Denom, 1_234)
	events := relay(transfertypes.NewMsgTransfer(port, out, coin, me, me, clienttypes.ZeroHeight(), until, ""))
	packet := channeltypes.NewPacket(packetData(t, events), 1, port, out, port, in, clienttypes.ZeroHeight(), until)
	relay(channeltypes.NewMsgRecvPacket(packet, localhost.SentinelProof, height, me))

	var held banktypes.QueryAllBalancesResponse
	chain.ask("/cosmos.bank.v1beta1.Query/AllBalances", &banktypes.QueryAllBalancesRequest{Address: me}, &held)
	for _, coin := range held.Balances {
		if strings.HasPrefix(coin.Denom, "ibc/") && coin.Amount.Int64() == 1_234 {
			return
		}
	}
	t.Fatalf("no coins came in: %s", held.Balances)
}

// packetData is what a sent packet carries.
func packetData(t *testing.T, events []abci.Event) []byte {
	t.Helper()
	for _, event := range events {
		for _, attribute := range event.Attributes {
			if event.Type == "send_packet" && attribute.Key == "packet_data_hex" {
				data, err := hex.DecodeString(attribute.Value)
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
		}
	}
	t.Fatal("no packet was sent")
	return nil
}
