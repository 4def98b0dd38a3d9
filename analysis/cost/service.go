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
		"aws/lambda-edge":              simpleFunctions,
		"aws/lambda-function-url":      gateway,
		"aws/api-gateway-http":         gateway,
		"aws/api-gateway-rest":         gateway,
		"aws/alb":                      loadBalancer,
		"aws/nat-gateway":              nat,
		"aws/data-transfer-out":        transfer,
		"aws/fargate":                  fargate,
		"aws/fargate-spot":             fargate,
		"aws/app-runner":               appRunner,
		"aws/ec2":                      machines,

		"gcp/cloud-run":            cloudRun,
		"gcp/cloud-run/instances":  cloudRunInstances,
		"gcp/cloud-functions-gen1": cloudFunctions,
		"gcp/compute-engine":       machines,
		"gcp/egress-premium":       transfer,

		"azure/functions-consumption": azureConsumption,
		"azure/functions-flex":        azureFlex,
		"azure/functions-premium":     azurePremium,
		"azure/vm":                    machines,

		"cloudflare/workers-paid":  workers,
		"ibm/code-engine":          codeEngine,
		"oracle/functions":         simpleFunctions,
		"digitalocean/functions":   simpleFunctions,
		"vercel/functions":         simpleFunctions,
		"huawei/functiongraph":     simpleFunctions,
		"alibaba/function-compute": simpleFunctions,
		"digitalocean/droplet":     machines,
		"hetzner/cloud":            machines,
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
	product, variant := splitID(id)
	if bill := known[id]; bill != nil {
		p, err := book.Product(product)
		return service{product: p, bill: bill}, err
	}
	p, err := book.Product(product)
	if err != nil {
		return service{}, err // with the near matches
	}
	bill := known[product]
	if bill == nil || variant == "" {
		return service{}, &NoBill{Product: id, Have: Products()}
	}
	machine := id
	if product == "aws/lambda-managed-instances" {
		machine = "aws/ec2/" + variant
	}
	instance, err := book.Instance(machine)
	return service{product: p, instance: instance, bill: bill}, err
}

// splitID is a product's id and what stands behind it: a type of machine, or
// another way to be billed.
func splitID(id string) (product, variant string) {
	if parts := strings.SplitN(id, "/", 3); len(parts) == 3 {
		return parts[0] + "/" + parts[1], parts[2]
	}
	return id, ""
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
