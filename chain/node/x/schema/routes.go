// Package schema is what a service's description in protocol buffers says of it: paths, Go types, and
// routes of REST.
package schema

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/cosmos/gogoproto/proto"
	"github.com/grpc-ecosystem/grpc-gateway/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/utilities"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/cosmos/cosmos-sdk/client"
)

// Service is the description of a gRPC service.
func Service(name string) protoreflect.ServiceDescriptor {
	found, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		panic(fmt.Sprintf("the schema has no service %s: %s", name, err))
	}
	return found.(protoreflect.ServiceDescriptor)
}

// PathOf is a method's gRPC path.
func PathOf(method protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
}

// TypeOf is the Go type of a message.
func TypeOf(message protoreflect.MessageDescriptor) reflect.Type {
	kind := proto.MessageType(string(message.FullName()))
	if kind == nil {
		panic(fmt.Sprintf("no Go type is generated for %s: run go generate ./...", message.FullName()))
	}
	return kind.Elem()
}

// RegisterRoutes serves each query of a service over REST: GET /lode/market/v1/<query in snake_case>
// for one of lode.market.v1, with the question's fields as parameters.
func RegisterRoutes(queries string, ctx client.Context, mux *runtime.ServeMux) {
	methods := Service(queries).Methods()
	for i := range methods.Len() {
		method := methods.Get(i)
		mux.Handle(http.MethodGet, routeOf(method), serve(ctx, mux, method))
	}
}

// RestParts are the parts of a query's path over REST: those of its package, and its name.
func RestParts(method protoreflect.MethodDescriptor) []string {
	parts := strings.Split(string(method.Parent().FullName().Parent()), ".")
	return append(parts, snake(string(method.Name())))
}

func routeOf(method protoreflect.MethodDescriptor) runtime.Pattern {
	parts := RestParts(method)
	ops := make([]int, 0, 2*len(parts))
	for i := range parts {
		ops = append(ops, int(utilities.OpLitPush), i)
	}
	return runtime.MustPattern(runtime.NewPattern(1, ops, parts, "", runtime.AssumeColonVerbOpt(false)))
}

func serve(client client.Context, mux *runtime.ServeMux, method protoreflect.MethodDescriptor) runtime.HandlerFunc {
	input, output, path := TypeOf(method.Input()), TypeOf(method.Output()), PathOf(method)
	none := &utilities.DoubleArray{Encoding: map[string]int{}}
	return func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		_, outbound := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(r.Context(), mux, r)
		question := reflect.New(input).Interface().(proto.Message)
		if err == nil {
			err = runtime.PopulateQueryParameters(question, r.URL.Query(), none)
		}
		answer := reflect.New(output).Interface().(proto.Message)
		if err == nil {
			err = client.Invoke(ctx, path, question, answer)
		}
		if err != nil {
			runtime.HTTPError(ctx, mux, outbound, w, r, err)
			return
		}
		runtime.ForwardResponseMessage(ctx, mux, outbound, w, r, answer, mux.GetForwardResponseOptions()...)
	}
}

// snake writes a name in small letters: ListServices becomes list_services.
func snake(name string) string {
	var text strings.Builder
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			text.WriteByte('_')
		}
		text.WriteRune(unicode.ToLower(letter))
	}
	return text.String()
}
