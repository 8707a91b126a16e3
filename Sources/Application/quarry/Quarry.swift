import Commands
import Glibc

@main
struct Quarry {
  static func main() async {
    exit(await QuarryTool.main(arguments: Array(CommandLine.arguments.dropFirst())))
  }
}
