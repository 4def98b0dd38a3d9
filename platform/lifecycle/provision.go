package lifecycle

// Provision sets how many instances are kept ready ahead of requests, until
// Policy.Provisioned next says otherwise. Like [Pool.Limit] it does nothing by
// itself and holds from the next Step on.
func (p *Pool) Provision(n int) {}
