import CLinux
import Core

extension NoticeShortfall {
  /// The user's watches are used up.
  static func limit(watched: Int) -> NoticeShortfall {
    NoticeShortfall(
      code: "source.watch_limit",
      message: "the system allows no more watches; \(watched) folders have one, changes in the others are not noticed",
      remedy: "Raise the limit, for example: sysctl fs.inotify.max_user_watches=1048576")
  }

  /// The user's instances are used up.
  static let instances = NoticeShortfall(
    code: "source.watch_instances", message: "the system allows no more watchers; no change is noticed",
    remedy: "Raise the limit, for example: sysctl fs.inotify.max_user_instances=1024")

  /// What other machines do is not noticed.
  static func remote(root: String, fileSystem: String) -> NoticeShortfall {
    NoticeShortfall(
      code: "source.watch_remote",
      message:
        "\(LocalFilesError.quoted(root)) is on a mount of \(fileSystem), where changes made elsewhere are not noticed",
      remedy: "Nothing, if the time between listings will do; else watch on the machine that has the files.")
  }
}
