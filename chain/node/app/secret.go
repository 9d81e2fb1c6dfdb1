package app

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cosmossdk.io/log"

	"lode/x/market/border"
)

// secretFile holds a validator's beacon key, in its home's folder of configuration.
const secretFile = "beacon_key.json"

// secretFormat is the one that this node writes and reads.
const secretFormat = 1

// kept is the file's content.
type kept struct {
	Format int    `json:"format"`
	Secret string `json:"secret"`
}

func secretPath(home string) string {
	return filepath.Join(home, "config", secretFile)
}

// CreateSecret makes a validator's beacon key in its home, for nobody else to read, and gives the
// public half. One that is there stays.
func CreateSecret(home string) (key [border.KeySize]byte, err error) {
	path := secretPath(home)
	var secret [border.KeySize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return key, err
	}
	text, err := json.MarshalIndent(kept{Format: secretFormat, Secret: hex.EncodeToString(secret[:])}, "", "  ")
	if err != nil {
		return key, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return PublicKey(home)
	}
	if err != nil {
		return key, err
	}
	if _, err := file.Write(append(text, '\n')); err != nil {
		return key, errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return key, err
	}
	return border.PublicKey(secret)
}

// PublicKey is the public half of the beacon key in a home.
func PublicKey(home string) (key [border.KeySize]byte, err error) {
	secret, err := loadSecret(secretPath(home))
	if err != nil {
		return key, err
	}
	return border.PublicKey(secret)
}

// readSecret gives the beacon key in a home, or nil where there is none.
func readSecret(home string, logger log.Logger) (*[border.KeySize]byte, error) {
	secret, err := loadSecret(secretPath(home))
	if errors.Is(err, fs.ErrNotExist) {
		logger.Debug("no beacon key: a validator without one takes no part in seeds", "file", secretPath(home))
		return nil, nil
	}
	return &secret, err
}

func loadSecret(path string) (secret [border.KeySize]byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return secret, err
	}
	var read kept
	// The parser's own words might quote a secret.
	if json.Unmarshal(text, &read) != nil || read.Format != secretFormat {
		return secret, fmt.Errorf("%s is no beacon key of format %d", path, secretFormat)
	}
	bytes, err := hex.DecodeString(read.Secret)
	if err != nil || len(bytes) != len(secret) {
		return secret, fmt.Errorf("%s holds no key of %d hex digits", path, 2*len(secret))
	}
	return [border.KeySize]byte(bytes), nil
}
