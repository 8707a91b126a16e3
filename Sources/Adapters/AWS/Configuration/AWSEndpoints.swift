/// Where services are.
///
/// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html and feature-endpoints.html (FIPS,
/// dual-stack).
public struct AWSEndpoints: Sendable {
  private let environment: AWSEnvironment
  private let usesFIPS: Bool
  private let usesDualStack: Bool

  /// Endpoints as the environment and the shared files say.
  public init(environment: AWSEnvironment) {
    self.environment = environment
    usesFIPS = environment.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
    usesDualStack = environment.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
  }

  /// Scheme and authority of a service in a region, such as `https://sqs.eu-central-1.amazonaws.com`.
  public func url(of service: AWSService, region: String) -> String {
    if let custom = custom(service) { return custom.hasSuffix("/") ? String(custom.dropLast()) : custom }
    let prefix = prefix(of: service, region: region)
    // S3 puts the word before the region and stays in its own domain.
    if service == .s3, usesDualStack { return "https://\(prefix).dualstack.\(region).\(Self.domain(region))" }
    return "https://\(prefix).\(region).\(usesDualStack ? Self.dualStackDomain(region) : Self.domain(region))"
  }

  private func prefix(of service: AWSService, region: String) -> String {
    guard usesFIPS else { return service.hostPrefix }
    // SageMaker's older hosts have the word in the middle, or need none (botocore's endpoint rules).
    if service == .sageMaker, !usesDualStack, Self.domain(region) == "amazonaws.com" {
      return region.hasPrefix("us-gov-") ? service.hostPrefix : "runtime-fips.sagemaker"
    }
    return service.hostPrefix + "-fips"
  }

  /// Whether a service is elsewhere than at AWS: then S3 buckets are addressed in the path.
  public func isCustom(_ service: AWSService) -> Bool { custom(service) != nil }

  private func custom(_ service: AWSService) -> String? {
    guard !environment.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") else {
      return nil
    }
    if let own = environment.variables["AWS_ENDPOINT_URL_\(service.endpointName.uppercased())"] { return own }
    if let all = environment.variables["AWS_ENDPOINT_URL"] { return all }
    if let title = environment.setting("services"),
      let own = environment.section("services \(title)")?["\(service.endpointName).endpoint_url"]
    {
      return own
    }
    return environment.setting("endpoint_url")
  }

  static func domain(_ region: String) -> String {
    if region.hasPrefix("cn-") { return "amazonaws.com.cn" }
    if region.hasPrefix("us-iso-") { return "c2s.ic.gov" }
    if region.hasPrefix("us-isob-") { return "sc2s.sgov.gov" }
    if region.hasPrefix("eusc-") { return "amazonaws.eu" }
    return "amazonaws.com"
  }

  private static func dualStackDomain(_ region: String) -> String {
    region.hasPrefix("cn-") ? "api.amazonwebservices.com.cn" : "api.aws"
  }
}
