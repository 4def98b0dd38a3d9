package container_test

const ownerDir = "COLDCURVE_TEST_OWNER"

func own(dir string) {}
