package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/reflect/protoreflect"

	"lode/x/schema"
)

// described are the services that the node serves over REST: GET /<package>/<method in small letters>,
// with the question's fields as parameters.
var described = []protoreflect.FullName{"lode.market.v1.Query", "lode.beacon.v1.Query"}

// openapiFile is where the description of our own REST goes. The SDK has one of its own.
const openapiFile = "swagger/lode.json"

// object is one of JSON, whose keys are written in order.
type object map[string]any

// openapi describes the REST of services, as OpenAPI 2: what the SDK's own description is in.
type openapi struct {
	paths, definitions object
}

func describe(files linker.Files) (string, error) {
	made := openapi{paths: object{}, definitions: object{"error": object{
		"type": "object",
		"properties": object{
			"code":    object{"type": "integer", "format": "int32", "description": "The gRPC status."},
			"message": object{"type": "string", "description": "Why not, in the market's words."},
		},
	}}}
	for _, name := range described {
		found, err := files.AsResolver().FindDescriptorByName(name)
		if err != nil {
			return "", err
		}
		methods := found.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			made.operation(methods.Get(i))
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(object{
		"swagger": "2.0",
		"info": object{
			"title":       "Lode",
			"description": "The market's questions over REST. Numbers of 64 bits are strings; bytes are base64.",
			"version":     "v1",
		},
		"produces":    []string{"application/json"},
		"paths":       made.paths,
		"definitions": made.definitions,
	})
	return text.String(), err
}

func (o *openapi) operation(method protoreflect.MethodDescriptor) {
	parent := method.Parent().FullName().Parent()
	parameters := []object{}
	fields := method.Input().Fields()
	for i := range fields.Len() {
		parameter := o.schema(fields.Get(i))
		parameter["name"], parameter["in"], parameter["required"] = fields.Get(i).Name(), "query", false
		parameters = append(parameters, parameter)
	}
	operation := object{
		"operationId": strings.ReplaceAll(string(parent), ".", "_") + "_" + string(method.Name()),
		"tags":        []string{string(parent)},
		"parameters":  parameters,
		"responses": object{
			"200":     object{"description": "The answer.", "schema": o.reference(method.Output())},
			"default": object{"description": "Why there is none.", "schema": object{"$ref": "#/definitions/error"}},
		},
	}
	if text := comment(method); text != "" {
		operation["summary"] = text
	}
	o.paths["/"+strings.Join(schema.RestParts(method), "/")] = object{"get": operation}
}

// reference names a message's definition, which it makes where there is none.
func (o *openapi) reference(message protoreflect.MessageDescriptor) object {
	name := string(message.FullName())
	if _, found := o.definitions[name]; !found {
		definition := object{"type": "object"}
		o.definitions[name] = definition
		properties := object{}
		fields := message.Fields()
		for i := range fields.Len() {
			properties[string(fields.Get(i).Name())] = o.schema(fields.Get(i))
		}
		definition["properties"] = properties
		if text := comment(message); text != "" {
			definition["description"] = text
		}
	}
	return object{"$ref": "#/definitions/" + name}
}

func (o *openapi) schema(field protoreflect.FieldDescriptor) object {
	made := o.single(field)
	if field.IsList() {
		made = object{"type": "array", "items": made}
	}
	// A reference takes nothing beside it.
	if text := comment(field); text != "" && made["$ref"] == nil {
		made["description"] = text
	}
	return made
}

// single is how JSON has one value of a field.
func (o *openapi) single(field protoreflect.FieldDescriptor) object {
	switch kind := field.Kind(); kind {
	case protoreflect.MessageKind:
		return o.reference(field.Message())
	case protoreflect.EnumKind:
		names := []string{}
		for i := range field.Enum().Values().Len() {
			names = append(names, string(field.Enum().Values().Get(i).Name()))
		}
		return object{"type": "string", "enum": names}
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.StringKind:
		return object{"type": "string"}
	case protoreflect.BytesKind:
		return object{"type": "string", "format": "byte"}
	case protoreflect.Uint64Kind, protoreflect.Int64Kind:
		return object{"type": "string", "format": kind.String()}
	case protoreflect.Uint32Kind, protoreflect.Int32Kind:
		return object{"type": "integer", "format": "int64"}
	default:
		panic(fmt.Sprintf("%s is a %s: say here how JSON has it", field.FullName(), kind))
	}
}

// comment is what the schema says of something, on one line.
func comment(of protoreflect.Descriptor) string {
	text := of.ParentFile().SourceLocations().ByDescriptor(of).LeadingComments
	return strings.Join(strings.Fields(text), " ")
}
