package lambdaapi

import (
	"maps"
	"slices"
)

// The tags that CreateFunction heeds.
const (
	tagSandbox = "coldcurve:sandbox"
	tagStart   = "coldcurve:start"
	// Who requests are accounted to that do not say it themselves.
	tagConsumer = "coldcurve:consumer"
	tagStage    = "coldcurve:stage"
)

// keepOwnTags refuses to change tags by which a function was created: it would
// go on as it was made.
func keepOwnTags(before, after map[string]string) error {
	for _, key := range []string{tagConsumer, tagSandbox, tagStage, tagStart} {
		if before[key] != after[key] {
			return invalid("The tag " + key + " is heeded when the function is created, and stays; sandbox and start are Sandbox and Start in UpdateFunctionConfiguration")
		}
	}
	return nil
}

func (h *Handler) tag(r *request) (any, error) {
	var body struct{ Tags map[string]string }
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	before, err := h.Catalog.Tags(r.name)
	if err != nil {
		return nil, err
	}
	after := map[string]string{}
	maps.Copy(after, before)
	maps.Copy(after, body.Tags)
	if err := keepOwnTags(before, after); err != nil {
		return nil, err
	}
	return nil, h.Catalog.Tag(r.name, body.Tags)
}

func (h *Handler) untag(r *request) (any, error) {
	before, err := h.Catalog.Tags(r.name)
	if err != nil {
		return nil, err
	}
	keys := r.query["tagKeys"]
	after := maps.Clone(before)
	maps.DeleteFunc(after, func(key, _ string) bool { return slices.Contains(keys, key) })
	if err := keepOwnTags(before, after); err != nil {
		return nil, err
	}
	return nil, h.Catalog.Untag(r.name, keys)
}

func (h *Handler) tags(r *request) (any, error) {
	tags, err := h.Catalog.Tags(r.name)
	if tags == nil {
		tags = map[string]string{}
	}
	return struct{ Tags map[string]string }{tags}, err
}
