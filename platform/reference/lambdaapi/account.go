package lambdaapi

import (
	"math"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// accountSettings is the GetAccountSettings operation.
func (h *Handler) accountSettings(*request) (any, error) {
	type limit struct {
		TotalCodeSize, CodeSizeUnzipped, CodeSizeZipped      int64 // bytes
		ConcurrentExecutions, UnreservedConcurrentExecutions int
	}
	type usage struct{ TotalCodeSize, FunctionCount int64 }
	var doc struct {
		AccountLimit limit
		AccountUsage usage
	}
	code := h.Catalog.CodeLimits()
	doc.AccountLimit = limit{int64(code.Total), int64(code.Unzipped), int64(code.Zip), math.MaxInt32, 0}
	if n := h.Runtime.Policy().Concurrency; n > 0 {
		doc.AccountLimit.ConcurrentExecutions = n
	}
	doc.AccountLimit.UnreservedConcurrentExecutions = doc.AccountLimit.ConcurrentExecutions
	for page := (catalog.Page{}); ; {
		list, next, err := h.Catalog.List(page, true)
		if err != nil {
			return nil, err
		}
		for i := range list {
			f := &list[i]
			doc.AccountUsage.TotalCodeSize += int64(f.Package.Size)
			if f.Version != catalog.Latest {
				continue
			}
			doc.AccountUsage.FunctionCount++
			if f.Reserved != nil {
				doc.AccountLimit.UnreservedConcurrentExecutions -= *f.Reserved
			}
		}
		if page.Marker = next; next == "" {
			return doc, nil
		}
	}
}
