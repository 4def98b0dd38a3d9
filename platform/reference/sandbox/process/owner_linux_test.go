package process_test

const ownerDir = "COLDCURVE_TEST_OWNER"

func own(string) {}
