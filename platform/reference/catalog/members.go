package catalog

import "slices"

// Member is a member of Lambda's CreateFunction and UpdateFunctionConfiguration
// that a function of the catalogue does not have.
type Member struct {
	Name    string
	Refused bool   // else it is ignored
	Why     string // what a user is told, or should know
}

// Members are those that are known. To ignore one that would change how the
// function runs would be to measure something else than was asked for, so those
// are refused.
func Members() []Member {
	return []Member{
		{"SnapStart", true, "there are no snapshots here; the zygote and pause start tiers restore instances"},
		{"Layers", true, "there are no layers here; put their files into the package"},
		{"VpcConfig", true, "there is no VPC here"},
		{"FileSystemConfigs", true, "there is no EFS here"},
		{"DeadLetterConfig", true, "there is no dead-letter queue here; use an on-failure destination"},
		{"CapacityProviderConfig", true, "there are no managed instances here"},
		{"DurableConfig", true, "there are no durable functions here"},
		{"TenancyConfig", true, "there is no tenant isolation here"},
		{"CodeSigningConfigArn", true, "signatures are not checked here, and a package that must be signed is not to run unchecked"},
		{"ImageConfig", true, "an image runs as it is"},
		{"PublishTo", true, "there are no managed instances here"},
		{"KMSKeyArn", false, "the environment is kept in a file that its owner alone may read; there are no keys"},
		{"LoggingConfig", false, "logs come back with an invocation as the function writes them"},
		{"TracingConfig", false, "the trace header reaches the function; no traces are collected"},
	}
}

// refuseMembers refuses the first of the given members that is to be refused.
// One that is not known is refused: nobody has thought about it.
func refuseMembers(names []string) error {
	known := Members()
	for _, name := range names {
		i := slices.IndexFunc(known, func(m Member) bool { return m.Name == name })
		switch {
		case i < 0:
			return invalid("%s is not supported: it is not known here", name)
		case known[i].Refused:
			return invalid("%s is not supported: %s", name, known[i].Why)
		}
	}
	return nil
}
