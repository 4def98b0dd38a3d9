package lambdaapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// describe tells what answers.
func (h *Handler) describe(w http.ResponseWriter, _ *http.Request, _ string) error {
	d := h.account()
	if _, dropped := h.runtime.Instances(); dropped > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("the lives of %s instances were not kept", units.FormatCount(dropped)))
	}
	writeJSON(w, http.StatusOK, d)
	return nil
}

// instances tells the life of every instance, a line each.
func (h *Handler) instances(w http.ResponseWriter, _ *http.Request, _ string) error {
	records, _ := h.runtime.Instances()
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(w)
	for i := range records {
		if err := enc.Encode(&records[i]); err != nil {
			return nil // the caller is gone, and the status is out already
		}
	}
	return nil
}

// logs gives the end of what each function has printed, by name.
func (h *Handler) logs(w http.ResponseWriter, _ *http.Request, _ string) error {
	writeJSON(w, http.StatusOK, h.runtime.Logs())
	return nil
}

// evict makes the function's next start cold.
func (h *Handler) evict(w http.ResponseWriter, r *http.Request, name string) error {
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	if err := f.version.Evict(r.Context()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
