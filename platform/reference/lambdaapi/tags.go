package lambdaapi

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
	return nil, h.Catalog.Tag(r.name, body.Tags, keepOwnTags)
}

func (h *Handler) untag(r *request) (any, error) {
	return nil, h.Catalog.Untag(r.name, r.query["tagKeys"], keepOwnTags)
}

func (h *Handler) tags(r *request) (any, error) {
	tags, err := h.Catalog.Tags(r.name)
	if tags == nil {
		tags = map[string]string{}
	}
	return struct{ Tags map[string]string }{tags}, err
}
