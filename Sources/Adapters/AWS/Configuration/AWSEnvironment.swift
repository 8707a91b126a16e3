import FoundationEssentials

/// What this process is told about AWS: environment variables and the shared files, named as the AWS CLI names them.
///
/// Source: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
public struct AWSEnvironment: Sendable {
  let variables: [String: String]
  /// The profile in force.
  public let profileName: String
  private let config: ProfileFile
  private let credentials: ProfileFile

  /// Reads the shared files; those that are not there are empty.
  /// - Parameters:
  ///   - variables: The environment.
  ///   - profile: A profile that the configuration names; else `AWS_PROFILE`, else `default`.
  public init(variables: [String: String], profile: String? = nil) {
    self.variables = variables.filter { !$0.value.isEmpty }
    profileName = profile ?? self.variables["AWS_PROFILE"] ?? self.variables["AWS_DEFAULT_PROFILE"] ?? "default"
    let home = self.variables["HOME"] ?? ""
    config = Self.file(self.variables["AWS_CONFIG_FILE"] ?? home + "/.aws/config", home: home)
    credentials = Self.file(self.variables["AWS_SHARED_CREDENTIALS_FILE"] ?? home + "/.aws/credentials", home: home)
  }

  private static func file(_ path: String, home: String) -> ProfileFile {
    let expanded = path.hasPrefix("~/") ? home + path.dropFirst() : path
    guard let data = FileManager.default.contents(atPath: expanded), data.count <= 1 << 20 else {
      return ProfileFile("")
    }
    return ProfileFile(String(decoding: data, as: UTF8.self))
  }

  /// The settings of a profile: those of the credentials file go before those of the configuration file.
  func profile(_ name: String) -> [String: String]? {
    let configured =
      config.sections[name == "default" ? "default" : "profile \(name)"]
      ?? (name == "default" ? config.sections["profile default"] : nil)
    let secret = credentials.sections[name]
    guard configured != nil || secret != nil else { return nil }
    return (configured ?? [:]).merging(secret ?? [:]) { _, own in own }
  }

  /// A section such as `sso-session corp` or `services local`.
  func section(_ title: String) -> [String: String]? { config.sections[title] }

  /// A setting of the profile in force.
  func setting(_ key: String) -> String? { profile(profileName)?[key] }

  /// The region by variable or profile.
  public var region: String? {
    variables["AWS_REGION"] ?? variables["AWS_DEFAULT_REGION"] ?? setting("region")
  }

  /// Whether the profile was named by someone rather than taken by default.
  var namesProfile: Bool { profileName != "default" }

  /// A truth value of a variable or else of the profile.
  func flag(_ variable: String, _ key: String) -> Bool {
    (variables[variable] ?? setting(key))?.lowercased() == "true"
  }
}
