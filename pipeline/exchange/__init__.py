"""Equipment lists in and out: CSV and spreadsheets to the registry, CSV and FHIR from it."""
