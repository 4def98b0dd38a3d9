package lambdaapi

import (
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// Concurrency is a function's reserved concurrency.
type Concurrency struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

func (h *Handler) putConcurrency(r *request) (any, error) {
	var body Concurrency
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if body.ReservedConcurrentExecutions == nil {
		return nil, invalid("ReservedConcurrentExecutions is missing")
	}
	return body, h.Catalog.PutConcurrency(r.name, *body.ReservedConcurrentExecutions)
}

func (h *Handler) concurrency(r *request) (any, error) {
	n, err := h.Catalog.Concurrency(r.name)
	return Concurrency{n}, err
}

func (h *Handler) deleteConcurrency(r *request) (any, error) {
	return nil, h.Catalog.DeleteConcurrency(r.name)
}

// provisioned is Lambda's account of provisioned concurrency.
type provisioned struct {
	FunctionArn                              string `json:",omitempty"` // in lists only
	RequestedProvisionedConcurrentExecutions int
	AvailableProvisionedConcurrentExecutions int
	AllocatedProvisionedConcurrentExecutions int
	Status                                   string
	StatusReason                             string `json:",omitempty"`
	LastModified                             string
}

func provisionedOf(p *catalog.Provisioned) provisioned {
	return provisioned{
		RequestedProvisionedConcurrentExecutions: p.Requested,
		AvailableProvisionedConcurrentExecutions: p.Available,
		AllocatedProvisionedConcurrentExecutions: p.Allocated,
		Status:                                   p.Status, StatusReason: p.Reason, LastModified: p.Modified.UTC().Format(timeFormat),
	}
}

func (h *Handler) putProvisioned(r *request) (any, error) {
	var body struct{ ProvisionedConcurrentExecutions int }
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	p, err := h.Catalog.PutProvisioned(r.name, r.qualifier(), body.ProvisionedConcurrentExecutions)
	return provisionedOf(&p), err
}

func (h *Handler) provisioned(r *request) (any, error) {
	p, err := h.Catalog.Provisioned(r.name, r.qualifier())
	return provisionedOf(&p), err
}

func (h *Handler) listProvisioned(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	list, next, err := h.Catalog.ProvisionedAll(r.name, page)
	doc := struct {
		ProvisionedConcurrencyConfigs []provisioned
		NextMarker                    string `json:",omitempty"`
	}{make([]provisioned, len(list)), next}
	for i := range list {
		doc.ProvisionedConcurrencyConfigs[i] = provisionedOf(&list[i])
		doc.ProvisionedConcurrencyConfigs[i].FunctionArn = list[i].ARN
	}
	return doc, err
}

func (h *Handler) deleteProvisioned(r *request) (any, error) {
	return nil, h.Catalog.DeleteProvisioned(r.name, r.qualifier())
}
