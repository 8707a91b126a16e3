/// The version of Quarry, in events, `--version` and the HTTP API.
public enum QuarryVersion {
  /// Semantic version.
  public static let current = "0.1.0"
}
