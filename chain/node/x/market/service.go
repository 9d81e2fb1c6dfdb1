package market

import (
	"context"
	"reflect"

	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"lode/x/schema"
)

// handle answers one method: typed message in and out, bytes in between.
type handle func(ctx context.Context, method protoreflect.MethodDescriptor, request []byte) ([]byte, error)

// service is the gRPC service of a descriptor, all methods of which one function handles. A message
// that is added to the schema needs no line here.
func service(name string, handle handle) *grpc.ServiceDesc {
	described := schema.Service(name)
	desc := &grpc.ServiceDesc{
		ServiceName: name,
		HandlerType: (*any)(nil),
		Metadata:    described.ParentFile().Path(),
	}
	for i := range described.Methods().Len() {
		method := described.Methods().Get(i)
		desc.Methods = append(desc.Methods, grpc.MethodDesc{
			MethodName: string(method.Name()),
			Handler:    handler(method, handle),
		})
	}
	return desc
}

func handler(method protoreflect.MethodDescriptor, handle handle) grpc.MethodHandler {
	input, output := schema.TypeOf(method.Input()), schema.TypeOf(method.Output())
	path := schema.PathOf(method)
	answer := func(ctx context.Context, request any) (any, error) {
		bytes, err := proto.Marshal(request.(proto.Message))
		if err != nil {
			return nil, err
		}
		answered, err := handle(ctx, method, bytes)
		if err != nil {
			return nil, err
		}
		response := reflect.New(output).Interface().(proto.Message)
		return response, proto.Unmarshal(answered, response)
	}
	return func(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		request := reflect.New(input).Interface()
		if err := decode(request); err != nil {
			return nil, err
		}
		if intercept == nil {
			return answer(ctx, request)
		}
		info := &grpc.UnaryServerInfo{Server: server, FullMethod: path}
		return intercept(ctx, request, info, answer)
	}
}
