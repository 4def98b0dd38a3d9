package lambdaapi

import "github.com/coldcurve/coldcurve/platform/reference/catalog"

// permissionRequest is the body of AddPermission.
type permissionRequest struct {
	StatementID           string `json:"StatementId"`
	Action, Principal     string
	SourceArn             string
	SourceAccount         string
	PrincipalOrgID        string
	EventSourceToken      string
	FunctionURLAuthType   string `json:"FunctionUrlAuthType"`
	InvokedViaFunctionURL bool   `json:"InvokedViaFunctionUrl"`
	RevisionID            string `json:"RevisionId"`
}

func (h *Handler) addPermission(r *request) (any, error) {
	var body permissionRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	statement, err := h.Catalog.AddPermission(r.name, r.qualifier(), catalog.Permission{
		ID: body.StatementID, Action: body.Action, Principal: body.Principal,
		SourceARN: body.SourceArn, SourceAccount: body.SourceAccount, Organization: body.PrincipalOrgID,
		EventToken: body.EventSourceToken, URLAuthType: body.FunctionURLAuthType, ByURL: body.InvokedViaFunctionURL,
	}, body.RevisionID)
	return struct{ Statement string }{statement}, err
}

func (h *Handler) removePermission(r *request) (any, error) {
	return nil, h.Catalog.RemovePermission(r.name, r.qualifier(), r.item, r.query.Get("RevisionId"))
}

func (h *Handler) policy(r *request) (any, error) {
	p, err := h.Catalog.Policy(r.name, r.qualifier())
	return struct{ Policy, RevisionId string }{p.Document, p.Revision}, err //nolint:revive // Lambda's spelling
}

// codeSigning answers that a function's code need not be signed, as Lambda does
// for one without a configuration: see catalog.Members.
func (h *Handler) codeSigning(r *request) (any, error) {
	_, err := h.Catalog.Function(r.name, "")
	return struct{}{}, err
}
