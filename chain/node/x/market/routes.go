package market

import (
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

// registerRoutes serves each query over REST: GET /lode/market/v1/<query in snake_case>, with the
// question's fields as parameters.
func registerRoutes(ctx client.Context, mux *runtime.ServeMux) {
	found, err := proto.HybridResolver.FindDescriptorByName(queries)
	if err != nil {
		panic(err)
	}
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		method := methods.Get(i)
		mux.Handle(http.MethodGet, routeOf(method), serve(ctx, mux, method))
	}
}

func routeOf(method protoreflect.MethodDescriptor) runtime.Pattern {
	parts := strings.Split(string(method.Parent().FullName().Parent()), ".")
	parts = append(parts, snake(string(method.Name())))
	ops := make([]int, 0, 2*len(parts))
	for i := range parts {
		ops = append(ops, int(utilities.OpLitPush), i)
	}
	return runtime.MustPattern(runtime.NewPattern(1, ops, parts, "", runtime.AssumeColonVerbOpt(false)))
}

func serve(client client.Context, mux *runtime.ServeMux, method protoreflect.MethodDescriptor) runtime.HandlerFunc {
	input, output, path := typeOf(method.Input()), typeOf(method.Output()), pathOf(method)
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
