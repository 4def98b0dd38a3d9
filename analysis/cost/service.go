package cost

import (
	"strings"

	"github.com/coldcurve/coldcurve/analysis/prices"
)

// billers is how each product charges, by its id; for machines, by the id
// without the type.
func billers() map[string]biller {
	return map[string]biller{
		"aws/lambda":                   lambda,
		"aws/lambda-managed-instances": managedInstances,
		"aws/lambda-edge":              lambdaEdge,
		"aws/lambda-function-url":      gateway,
		"aws/api-gateway-http":         gateway,
		"aws/api-gateway-rest":         gateway,
		"aws/alb":                      loadBalancer,
		"aws/nat-gateway":              nat,
		"aws/data-transfer-out":        transfer,
		"aws/fargate":                  fargate,
		"aws/app-runner":               appRunner,
		"aws/ec2":                      machines,

		"gcp/cloud-run":            cloudRun,
		"gcp/cloud-run-instances":  cloudRunInstances,
		"gcp/cloud-functions-gen1": cloudFunctions,
		"gcp/compute-engine":       machines,
		"gcp/egress-premium":       transfer,

		"azure/functions-consumption": azureConsumption,
		"azure/functions-flex":        azureFlex,
		"azure/functions-premium":     azurePremium,
		"azure/vm":                    machines,

		"cloudflare/workers-paid": workers,
		"ibm/code-engine":         codeEngine,
		"oracle/functions":        simpleFunctions,
		"digitalocean/functions":  simpleFunctions,
		"digitalocean/droplet":    machines,
		"hetzner/cloud":           machines,
	}
}

// Products are the names that [New] knows; machines stand without their type.
func Products() []string {
	var names []string
	for name := range billers() {
		names = append(names, name)
	}
	return sorted(names)
}

func serviceOf(book *prices.Book, id string) (service, error) {
	known := billers()
	if bill := known[id]; bill != nil {
		p, err := book.Product(id)
		return service{product: p, bill: bill}, err
	}
	family := id[:max(0, strings.LastIndexByte(id, '/'))]
	bill := known[family]
	if bill == nil {
		if _, err := book.Product(id); err != nil {
			return service{}, err // with the near matches
		}
		return service{}, &NoBill{Product: id, Have: Products()}
	}
	instance, err := book.Instance(id)
	if err != nil {
		return service{}, err
	}
	p, err := book.Product(instance.Product)
	return service{product: p, instance: instance, bill: bill}, err
}

// NoBill is a product that the book prices and nobody knows how to bill work by.
type NoBill struct {
	Product string
	Have    []string
}

// Error names the products that there are.
func (e *NoBill) Error() string {
	return "product " + e.Product + " is in the price book, but not something that serves requests by itself: write one of " +
		strings.Join(e.Have, ", ")
}
