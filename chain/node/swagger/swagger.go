// Package swagger shows what the node serves over REST, as a page that can try it: the SDK's own page,
// with a description of our modules beside the SDK's.
package swagger

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/cosmos/cosmos-sdk/client/docs"
)

// place is where the page is found.
const place = "/swagger/"

//go:embed index.html page.js lode.json
var own embed.FS

// overlay finds our files before the SDK's.
type overlay struct{ own, sdk fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	file, err := o.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.sdk.Open(name)
	}
	return file, err
}

// Register serves the page.
func Register(router *mux.Router) error {
	sdk, err := fs.Sub(docs.SwaggerUI, "swagger-ui")
	if err != nil {
		return err
	}
	files := http.FileServer(http.FS(overlay{own: own, sdk: sdk}))
	router.PathPrefix(place).Methods(http.MethodGet, http.MethodHead).Handler(http.StripPrefix(place, files))
	return nil
}
