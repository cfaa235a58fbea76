"""Private DNS of VPC endpoints, which ministack leaves out."""

from ministack.services import ec2


def install():
    """Reports private DNS for interface endpoints. It is on by default on AWS, and ministack drops the setting."""
    fields = ec2._vpce_fields_xml

    def vpce_fields_xml(endpoint, tag="item"):
        is_private = "true" if endpoint["VpcEndpointType"] == "Interface" else "false"
        end = f"</{tag}>"
        return fields(endpoint, tag).removesuffix(end) + f"<privateDnsEnabled>{is_private}</privateDnsEnabled>{end}"

    ec2._vpce_fields_xml = vpce_fields_xml
