package live

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	markettypes "lode/x/market/types"
)

func TestGRPCTellsItsServicesAndAnswers(t *testing.T) {
	node := start(t, 1).nodes[0]
	node.untilHeight(2)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	there, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", node.port+2), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	services := servicesOf(t, ctx, there)
	for _, name := range []string{"lode.market.v1.Query", "lode.beacon.v1.Query", "cosmos.bank.v1beta1.Query", "ibc.core.client.v1.Query"} {
		if !slices.Contains(services, name) {
			t.Errorf("%s is not among %v", name, services)
		}
	}
	clock, err := markettypes.NewQueryClient(there).Clock(ctx, &markettypes.QueryClock{})
	if err != nil || clock.Height < 2 || clock.NextStart <= clock.Height {
		t.Errorf("the clock says %v, %v", clock, err)
	}
	_, err = markettypes.NewQueryClient(there).Supplier(ctx, &markettypes.QuerySupplier{Operator: node.account()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("of a supplier that is not there it says %v", err)
	}
}

func servicesOf(t *testing.T, ctx context.Context, there *grpc.ClientConn) (names []string) {
	t.Helper()
	stream, err := reflection.NewServerReflectionClient(there).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := &reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	return names
}
