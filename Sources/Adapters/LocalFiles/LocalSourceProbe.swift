import Concurrency
public import Core
import Glibc

/// Looks at the local files and uploads that documents came from.
public final class LocalSourceProbe: SourceProbe {
  private let queue = BlockingQueue(label: "quarry.source-probe")

  private let uploads: UploadLayout

  /// Creates a probe that looks for uploads in their store's directory.
  public init(uploads directory: String) { uploads = UploadLayout(directory: directory) }

  /// The state of a `file://` object, or of an upload's version; `unknown` for others.
  public func state(of uri: SourceURI, version: ContentVersion) async -> SourceState {
    guard let path = uri.isUpload ? uploads.document(uri, version) : uri.filePath else { return .unknown }
    return await queue.run { () -> SourceState in
      var status = stat()
      guard stat(path, &status) == 0 else {
        let reason = errno
        return reason == ENOENT || reason == ENOTDIR ? .missing : .unreadable(String(cString: strerror(reason)))
      }
      guard status.st_mode & S_IFMT == S_IFREG else { return .missing }
      guard access(path, R_OK) == 0 else { return .unreadable(String(cString: strerror(errno))) }
      return uri.isUpload ? .kept : .present(stamp: FileStamp.make(status))
    }
  }
}
