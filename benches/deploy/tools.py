"""The tools that are compared. Each deploys the stack of a folder to an endpoint."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CDK = ROOT / "benches/peers/cdk"
SAM = [ROOT / ".tools/venv/bin/python", "-m", "samcli"]
BUCKET = "bench"
STACK = "bench-dev"


class Failed(Exception):
    """A tool does not run here. The message is for the table."""


class Tool:
    def __init__(self, folder, binary, url):
        self.folder, self.binary, self.url = folder, binary, url
        self.template = folder / "out/dev/template.yaml"
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CI": "true", "SAM_CLI_TELEMETRY": "0", **keys}

    @staticmethod
    def install():
        """Installs the tool if it is missing."""

    def run(self, *command):
        done = subprocess.run([str(word) for word in command], cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=300)
        if done.returncode != 0:
            lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
            if os.environ.get("BENCH_VERBOSE"):
                print(done.stdout, done.stderr)
            raise Failed(f"fails: {lines[-1].strip()[:90] if lines else done.returncode}")
        return done.stdout

    def aws(self, *command):
        return self.run("/usr/bin/aws", *command, "--output", "json", "--endpoint-url", self.url)

    def upload(self):
        """Uploads all code, under the names of the functions."""
        self.run("/usr/bin/aws", "s3", "cp", ".", f"s3://{BUCKET}/", "--recursive", "--exclude", "*", "--include", "*.zip",
                 "--endpoint-url", self.url)

    def package(self):
        """Writes the template with code in the bucket."""
        template = json.loads(self.run(self.binary, "synth", "--env", "dev", "--format", "cfn-json", "--stdout", "--quiet"))
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                path = self.folder / resource["Properties"]["Code"]
                resource["Properties"]["Code"] = {"S3Bucket": BUCKET, "S3Key": self.key(path.resolve())}
        (self.folder / "packaged.json").write_text(json.dumps(template))

    def key(self, path):
        return path.name

    def prepare(self):
        """Creates what the tool needs once for an account. Not measured."""
        self.aws("s3api", "create-bucket", "--bucket", BUCKET)

    def render(self):
        """Renders the template from stackgen.yaml. Not measured, because it is not the tool's work."""
        self.run(self.binary, "synth", "--env", "dev", "--quiet")


class Stackgen(Tool):
    NAME = "stackgen"
    HOW = "`stackgen deploy --no-build`; new code with `--redeploy-stage`, without CloudFormation"

    @staticmethod
    def version():
        return "ministack 1.5.33"

    def start(self):
        self.run(self.binary, "--version")

    def prepare(self):
        self.run(self.binary, "bootstrap")

    def render(self):
        pass

    def deploy(self):
        self.run(self.binary, "deploy", "--no-build", "--capability", "CAPABILITY_IAM", "--env", "dev")

    def redeploy(self, _):
        self.run(self.binary, "deploy", "--redeploy-stage", "--env", "dev")


class Sam(Tool):
    NAME = "sam deploy"
    HOW = "`sam deploy` of the template that stackgen renders, every time; `sam sync` takes templates with the SAM transform only"

    @staticmethod
    def version():
        out = subprocess.run([*SAM, "--version"], capture_output=True, text=True, check=True)
        return out.stdout.strip()

    def start(self):
        self.run(*SAM, "--version")

    def deploy(self):
        self.run(*SAM, "deploy", "--template-file", self.template, "--stack-name", STACK, "--s3-bucket", BUCKET, "--capabilities",
                 "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--region", "us-east-1")

    def redeploy(self, _):
        self.deploy()


class Aws(Tool):
    NAME = "aws"
    HOW = ("`aws s3 cp` and `aws cloudformation deploy`; new code with `aws lambda update-function-code` for each function, "
           "`create-deployment` and `update-stage`")

    @staticmethod
    def version():
        out = subprocess.run(["/usr/bin/aws", "--version"], capture_output=True, text=True, check=True)
        return out.stdout.split(" ")[0].replace("/", " ")

    def start(self):
        self.run("/usr/bin/aws", "--version")

    def render(self):
        self.package()

    def deploy(self):
        self.upload()
        self.run("/usr/bin/aws", "cloudformation", "deploy", "--template-file", "packaged.json", "--stack-name", STACK,
                 "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset", "--endpoint-url", self.url)

    def redeploy(self, functions):
        for name in functions:
            self.aws("lambda", "update-function-code", "--function-name", f"{name}-dev", "--zip-file", f"fileb://{name}.zip")
        apis = json.loads(self.aws("apigatewayv2", "get-apis"))["Items"]
        api = next(api["ApiId"] for api in apis if api["Name"] == "bench-api-dev")
        made = json.loads(self.aws("apigatewayv2", "create-deployment", "--api-id", api))
        self.aws("apigatewayv2", "update-stage", "--api-id", api, "--stage-name", "live", "--deployment-id", made["DeploymentId"])


class Cdk(Tool):
    NAME = "cdk deploy"
    HOW = ("an app that includes the packaged template (`CfnInclude`); new code with `--hotswap`, which sends code and leaves "
           "deployments and stages alone; uploads are not counted")
    APP = """
const cdk = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const app = new cdk.App();
const stack = new cdk.Stack(app, 'bench-dev', { synthesizer: new cdk.LegacyStackSynthesizer(), analyticsReporting: false,
  env: { account: '000000000000', region: 'us-east-1' } });
new CfnInclude(stack, 'Template', { templateFile: 'packaged.json' });
"""

    @staticmethod
    def version():
        out = subprocess.run(["node", CDK / "node_modules/aws-cdk/bin/cdk", "--version"], capture_output=True, text=True, check=True)
        return f"CDK {out.stdout.strip()}"

    def cdk(self, *words):
        self.run("node", CDK / "node_modules/aws-cdk/bin/cdk", *words)

    def start(self):
        self.cdk("--version")

    @staticmethod
    def install():
        if not (CDK / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=CDK, check=True)

    def prepare(self):
        super().prepare()
        (self.folder / "app.js").write_text(self.APP)
        (self.folder / "node_modules").symlink_to(CDK / "node_modules")
        (self.folder / "cdk.json").write_text(json.dumps({"app": "node app.js"}))

    def render(self):
        self.package()

    def key(self, path):
        """Uploads code as `cdk` does: under a key that names the contents, so that the template shows new code."""
        content = path.read_bytes()
        key = f"{hashlib.sha256(content).hexdigest()}.zip"
        self.aws("s3api", "put-object", "--bucket", BUCKET, "--key", key, "--body", path)
        return key

    def deploy(self):
        self.cdk("deploy", "--require-approval", "never", "--progress", "events")

    def redeploy(self, _):
        self.cdk("deploy", "--require-approval", "never", "--hotswap")


ALL = [Stackgen, Cdk, Sam, Aws]
