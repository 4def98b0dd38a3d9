package lambdaapi

import (
	"context"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// detached is the request's context without its caller's end.
func (r *request) detached(grace time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), grace)
}

func (h *Handler) publishVersion(r *request) (any, error) {
	var body struct {
		CodeSha256, Description string
		RevisionID              string `json:"RevisionId"`
	}
	if len(r.body) > 0 { // none of it is required
		if err := r.decode(&body); err != nil {
			return nil, err
		}
	}
	f, err := h.Catalog.Publish(r.name, catalog.Publication{CodeSHA256: body.CodeSha256, Revision: body.RevisionID, Description: body.Description})
	if err != nil {
		return nil, err
	}
	return configurationOf(&f), nil
}

func (h *Handler) listVersions(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	list, next, err := h.Catalog.Versions(r.name, page)
	if err != nil {
		return nil, err
	}
	return struct {
		Versions   []Configuration
		NextMarker string `json:",omitempty"`
	}{configurationsOf(list), next}, nil
}

// Alias is Lambda's account of an alias, and the body that makes one.
type Alias struct {
	AliasArn        string `json:",omitempty"`
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *RoutingConfig `json:",omitempty"`
	RevisionID      string         `json:"RevisionId,omitempty"`
}

// RoutingConfig gives a share of an alias's requests to another version.
type RoutingConfig struct {
	AdditionalVersionWeights map[string]float64
}

// weights are nil where nothing is said of them, else not.
func (c *RoutingConfig) weights() map[string]float64 {
	switch {
	case c == nil:
		return nil
	case c.AdditionalVersionWeights == nil:
		return map[string]float64{}
	}
	return c.AdditionalVersionWeights
}

func aliasOf(a *catalog.Alias) Alias {
	doc := Alias{AliasArn: a.ARN, Name: a.Name, FunctionVersion: a.Version, Description: a.Description, RevisionID: a.Revision}
	if len(a.Weights) > 0 {
		doc.RoutingConfig = &RoutingConfig{a.Weights}
	}
	return doc
}

func (h *Handler) createAlias(r *request) (any, error) {
	var body Alias
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	a, err := h.Catalog.CreateAlias(r.name, catalog.Alias{
		Name: body.Name, Version: body.FunctionVersion, Description: body.Description, Weights: body.RoutingConfig.weights(),
	})
	if err != nil {
		return nil, err
	}
	return aliasOf(&a), nil
}

func (h *Handler) updateAlias(r *request) (any, error) {
	var body struct {
		FunctionVersion, Description *string
		RoutingConfig                *RoutingConfig
		RevisionID                   string `json:"RevisionId"`
	}
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	a, err := h.Catalog.UpdateAlias(r.name, r.item, catalog.AliasUpdate{
		Version: body.FunctionVersion, Description: body.Description, Weights: body.RoutingConfig.weights(), Revision: body.RevisionID,
	})
	if err != nil {
		return nil, err
	}
	return aliasOf(&a), nil
}

func (h *Handler) alias(r *request) (any, error) {
	a, err := h.Catalog.Alias(r.name, r.item)
	if err != nil {
		return nil, err
	}
	return aliasOf(&a), nil
}

func (h *Handler) listAliases(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	list, next, err := h.Catalog.Aliases(r.name, r.query.Get("FunctionVersion"), page)
	if err != nil {
		return nil, err
	}
	doc := struct {
		Aliases    []Alias
		NextMarker string `json:",omitempty"`
	}{make([]Alias, len(list)), next}
	for i := range list {
		doc.Aliases[i] = aliasOf(&list[i])
	}
	return doc, nil
}

func (h *Handler) deleteAlias(r *request) (any, error) {
	return nil, h.Catalog.DeleteAlias(r.name, r.item)
}
