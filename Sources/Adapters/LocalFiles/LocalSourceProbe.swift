import Concurrency
public import Core
import Glibc

/// Looks at the local files that documents came from.
public final class LocalSourceProbe: SourceProbe {
  private let queue = BlockingQueue(label: "quarry.source-probe")

  /// Creates a probe.
  public init() {}

  /// The state of a `file://` object; `unknown` for others.
  public func state(of uri: SourceURI) async -> SourceState {
    guard let path = uri.filePath else { return .unknown }
    return await queue.run { () -> SourceState in
      var status = stat()
      guard stat(path, &status) == 0 else {
        let reason = errno
        return reason == ENOENT || reason == ENOTDIR ? .missing : .unreadable(String(cString: strerror(reason)))
      }
      guard status.st_mode & S_IFMT == S_IFREG else { return .missing }
      return access(path, R_OK) == 0
        ? .present(stamp: FileStamp.make(status)) : .unreadable(String(cString: strerror(errno)))
    }
  }
}
