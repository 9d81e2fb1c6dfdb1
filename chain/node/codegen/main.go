// Command codegen writes the Go types of the schema, and a description of its REST: `go generate ./...`.
//
// The market's schema is that of the Rust side, read from the same files; the beacon's is this
// module's own. The code is kept in the repository, so that a build needs no compiler of protocol
// buffers, and a test fails when it is stale.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// sources are where imports are looked for, from this module's root.
var sources = []string{"../../proto/schema", "proto"}

// packages are the files of the schema, package by package as the generator wants them.
var packages = [][]string{
	{
		"lode/market/v1/audit.proto",
		"lode/market/v1/types.proto",
		"lode/market/v1/relay.proto",
		"lode/market/v1/tx.proto",
		"lode/market/v1/query.proto",
		"lode/market/v1/genesis.proto",
	},
	{"lode/beacon/v1/beacon.proto"},
}

// parameters say where the imported types live in Go.
const parameters = "plugins=grpc," +
	"Mgoogle/protobuf/descriptor.proto=github.com/cosmos/gogoproto/protoc-gen-gogo/descriptor," +
	"Mamino/amino.proto=github.com/cosmos/cosmos-sdk/types/tx/amino," +
	"Mcosmos/msg/v1/msg.proto=github.com/cosmos/cosmos-sdk/types/msgservice," +
	"Mcosmos/base/v1beta1/coin.proto=github.com/cosmos/cosmos-sdk/types"

const generator = "github.com/cosmos/gogoproto/protoc-gen-gocosmos"

// module is this module's path, with which generated files are named.
const module = "lode"

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write puts the code of the schema into the module at root.
func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate makes the code of the schema, by file names from the module's root.
func generate(root string) (map[string]string, error) {
	made := map[string]string{}
	var all linker.Files
	for _, files := range packages {
		compiled, err := compile(root, files)
		if err != nil {
			return nil, err
		}
		if err := generatePackage(root, ask(files, compiled), made); err != nil {
			return nil, err
		}
		all = append(all, compiled...)
	}
	text, err := describe(all)
	made[openapiFile] = text
	return made, err
}

// generatePackage asks the SDK's generator, at the version that this module is built with.
func generatePackage(root string, request *pluginpb.CodeGeneratorRequest, made map[string]string) error {
	asked, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	generator := exec.Command("go", "run", generator)
	generator.Dir = root
	generator.Stdin = bytes.NewReader(asked)
	generator.Stderr = os.Stderr
	told, err := generator.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", generator, err)
	}
	var answer pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(told, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("the generator refuses the schema: %s", answer.GetError())
	}
	for _, file := range answer.File {
		name, err := filepath.Rel(module, file.GetName())
		if err != nil {
			return err
		}
		made[name] = file.GetContent()
	}
	return nil
}

func compile(root string, files []string) (linker.Files, error) {
	paths := make([]string, 0, len(sources))
	for _, source := range sources {
		paths = append(paths, filepath.Join(root, source))
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: paths}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	return compiler.Compile(context.Background(), files...)
}

// ask is what a generator is asked for.
func ask(files []string, compiled linker.Files) *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: files,
		Parameter:      proto.String(parameters),
	}
	seen := map[string]bool{}
	for _, file := range compiled {
		request.ProtoFile = withImports(request.ProtoFile, seen, file)
	}
	return request
}

// withImports appends a file behind those that it imports, each once.
func withImports(files []*descriptorpb.FileDescriptorProto, seen map[string]bool, file protoreflect.FileDescriptor) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return files
	}
	seen[file.Path()] = true
	for i := range file.Imports().Len() {
		files = withImports(files, seen, file.Imports().Get(i).FileDescriptor)
	}
	return append(files, protoutil.ProtoFromFileDescriptor(file))
}
