public import AWSSigning
import ChildProcess
public import FoundationEssentials
public import HTTPClient

/// Finds credentials, keeps them, and renews them before they end: one renewal at a time, whoever asks.
///
/// The order is that of the AWS SDKs: environment, web identity, the profile in the shared files, the container, the
/// instance. Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
public actor CredentialChain {
  /// Renewed this long before their end.
  private static let margin = 300.0

  private let providers: [any CredentialProvider]
  private let now: @Sendable () -> Date
  private var found: FoundCredentials?
  private var renewal: Task<FoundCredentials, any Error>?

  /// The chain that the environment describes.
  /// - Parameter region: Where roles are assumed.
  public init(
    environment: AWSEnvironment, region: String?, http: HTTPClient, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    let sts = SecurityTokens(
      endpoints: AWSEndpoints(environment: environment), region: region ?? environment.region ?? "us-east-1",
      http: http,
      now: now)
    let container = ContainerCredentials(variables: environment.variables, http: http)
    let instance = InstanceCredentials(environment: environment, http: http)
    self.init(
      providers: [
        EnvironmentCredentials(variables: environment.variables, skipped: environment.namesProfile),
        WebIdentityCredentials(variables: environment.variables, sts: sts),
        ProfileCredentials(
          environment: environment, sts: sts, http: http,
          sources: ["EcsContainer": container, "Ec2InstanceMetadata": instance],
          now: now),
        container, instance,
      ], now: now)
  }

  init(providers: [any CredentialProvider], now: @escaping @Sendable () -> Date = { Date() }) {
    self.providers = providers
    self.now = now
  }

  /// Credentials that work now.
  /// - Throws: `aws.credentials_missing` when no link has any; ``AWSError`` of the link that failed.
  public func credentials() async throws -> FoundCredentials {
    if let found {
      guard let end = found.credentials.expiration else { return found }
      let left = end.timeIntervalSince(now())
      if left > Self.margin { return found }
      if left > 0 {
        // Still good: a renewal that fails is tried again by the next caller.
        return (try? await renewed()) ?? found
      }
    }
    return try await renewed()
  }

  /// Forgets credentials that a service refused as expired.
  public func forget(_ refused: AWSCredentials) {
    if found?.credentials == refused { found = nil }
  }

  private func renewed() async throws -> FoundCredentials {
    if let renewal { return try await renewal.value }
    // Not a child of the caller's task: its cancellation must not fail the others that wait.
    let task = Task { [providers] in try await Self.search(providers) }
    renewal = task
    defer { renewal = nil }
    let result = try await task.value
    found = result
    return result
  }

  private static func search(_ providers: [any CredentialProvider]) async throws -> FoundCredentials {
    for provider in providers {
      if let credentials = try await provider.credentials() {
        return FoundCredentials(credentials: credentials, link: provider.link)
      }
    }
    throw AWSError.credentialsMissing(providers.map(\.link))
  }
}
