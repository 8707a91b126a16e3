/// An AWS service as this program speaks to it.
public struct AWSService: Sendable, Hashable {
  /// What its signatures name.
  public let signingName: String
  /// The first part of its host.
  let hostPrefix: String
  /// What `AWS_ENDPOINT_URL_…` and the `services` section call it.
  let endpointName: String
  /// What its actions begin with in IAM, such as `bedrock` in `bedrock:InvokeModel`.
  public let actionPrefix: String

  init(_ signingName: String, host: String? = nil, endpoint: String? = nil, action: String? = nil) {
    self.signingName = signingName
    hostPrefix = host ?? signingName
    endpointName = endpoint ?? signingName
    actionPrefix = action ?? signingName
  }

  /// Amazon Bedrock's models.
  public static let bedrock = AWSService("bedrock", host: "bedrock-runtime", endpoint: "bedrock_runtime")
  /// Endpoints of SageMaker.
  public static let sageMaker = AWSService("sagemaker", host: "runtime.sagemaker", endpoint: "sagemaker_runtime")
  /// Amazon Bedrock's rerankers.
  public static let bedrockAgent = AWSService(
    "bedrock", host: "bedrock-agent-runtime", endpoint: "bedrock_agent_runtime")
  /// Object storage.
  public static let s3 = AWSService("s3")
  /// Queues.
  public static let sqs = AWSService("sqs")
  /// CloudWatch metrics.
  public static let cloudWatch = AWSService("monitoring", endpoint: "cloudwatch", action: "cloudwatch")
  /// Firehose.
  public static let firehose = AWSService("firehose")
  /// Security tokens.
  public static let sts = AWSService("sts")
  /// Secrets.
  public static let secretsManager = AWSService("secretsmanager", endpoint: "secrets_manager")
  /// Text in images.
  public static let textract = AWSService("textract")
  /// The access portal, where logins become credentials.
  static let accessPortal = AWSService("awsssoportal", host: "portal.sso", endpoint: "sso", action: "sso")
}
