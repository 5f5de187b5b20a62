"""The program on a gateway: readers -> merge -> spool -> MQTT, kept until acknowledged."""
