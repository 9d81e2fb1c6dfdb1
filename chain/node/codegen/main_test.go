package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheKeptCodeIsWhatTheSchemaSays(t *testing.T) {
	const root = ".."
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		kept, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(kept) != text {
			t.Errorf("%s is stale: run go generate ./...", name)
		}
	}
}
