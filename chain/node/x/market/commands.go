package market

import (
	"fmt"
	"slices"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// asked for as flags: a question without them is one for the first page of all.
var paging = []protoreflect.Name{"after", "limit", "party"}

// AutoCLIOptions are the module's commands. The builder makes one of each method.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Tx:    &autocliv1.ServiceCommandDescriptor{Service: messages},
		Query: &autocliv1.ServiceCommandDescriptor{Service: queries, RpcCommandOptions: questions()},
	}
}

// questions take what they ask for as arguments: `loded query market supplier lode1...`.
func questions() []*autocliv1.RpcCommandOptions {
	found, err := proto.HybridResolver.FindDescriptorByName(queries)
	if err != nil {
		panic(fmt.Sprintf("the schema has no service %s: %s", queries, err))
	}
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	var options []*autocliv1.RpcCommandOptions
	for i := range methods.Len() {
		option := &autocliv1.RpcCommandOptions{RpcMethod: string(methods.Get(i).Name())}
		fields := methods.Get(i).Input().Fields()
		for j := range fields.Len() {
			if name := fields.Get(j).Name(); !slices.Contains(paging, name) {
				option.PositionalArgs = append(option.PositionalArgs, &autocliv1.PositionalArgDescriptor{ProtoField: string(name)})
			}
		}
		options = append(options, option)
	}
	return options
}
