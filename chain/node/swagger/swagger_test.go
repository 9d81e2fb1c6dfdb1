package swagger

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

func TestThePageHasBothDescriptionsAndAllThatItLoads(t *testing.T) {
	router := mux.NewRouter()
	if err := Register(router); err != nil {
		t.Fatal(err)
	}
	get := func(path string) string {
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		text, err := io.ReadAll(answer.Body)
		if answer.Code != http.StatusOK || err != nil {
			t.Errorf("%s: %d, %v", path, answer.Code, err)
		}
		return string(text)
	}
	page := get("/swagger/")
	for _, file := range []string{"swagger-ui.css", "favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "page.js"} {
		if !strings.Contains(page, `"./`+file+`"`) {
			t.Errorf("the page does not load %s", file)
		}
		get("/swagger/" + file)
	}
	var ours struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(get("/swagger/lode.json")), &ours); err != nil || ours.Paths["/lode/market/v1/supplier"] == nil {
		t.Errorf("the market's routes: %v, %v", ours.Paths, err)
	}
	if !strings.Contains(get("/swagger/swagger.yaml"), "/cosmos/bank/v1beta1/balances/{address}:") {
		t.Error("the SDK's routes are not there")
	}
}
