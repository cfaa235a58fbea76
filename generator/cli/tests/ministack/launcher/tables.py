"""Time to live of tables in templates, which ministack leaves out."""

from ministack.services import dynamodb

from launcher.gateway_records import correct_resource


def install():
    correct_resource("AWS::DynamoDB::Table", correct_table)


def correct_table(table, properties):
    setting = properties.get("TimeToLiveSpecification", {})
    is_on = str(setting.get("Enabled", False)).lower() == "true"
    if is_on:
        dynamodb._ttl_settings[table] = {"TimeToLiveStatus": "ENABLED", "AttributeName": setting["AttributeName"]}
    else:
        dynamodb._ttl_settings.pop(table, None)
