"""Free places in the words of open standards: FHIR, Open Referral and NGSI-LD."""
