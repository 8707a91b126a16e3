import Answering
import ArgumentParsing
import Core
import HTTPAPI
import Insight
import Service

/// `quarry evaluate`: how good the answers are, measured.
struct EvaluateCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "evaluate", abstract: "Measure retrieval and refusal on questions whose answers are known.",
    subcommands: [RetrievalCommand.self, RefusalCommand.self])

  init() {}

  /// `quarry evaluate retrieval`.
  struct RetrievalCommand: Command {
    static let configuration = CommandConfiguration(
      "retrieval", abstract: "Measure how well the pages that answer questions are found.",
      discussion: """
        Reads files of questions (JSON lines with question, answerable, kind, evidence: document, page) and asks them \
        of the library; reads folders in BEIR's layout and indexes their corpus into a temporary store. Prints page \
        hits at 1, 5 and 10, MRR, nDCG@10 and refusal rates with 95 % bootstrap intervals, and results by kind. \
        Questions whose documents are not in the library are counted and left out. Asked as evaluation traffic.
        """,
      examples: [
        .init("quarry evaluate retrieval corpus/questions.jsonl", "the questions of the demo library"),
        .init("quarry evaluate retrieval questions.jsonl --fail-under page_hit@5=.8", "for CI: exit code 4 when below"),
        .init("quarry evaluate retrieval ~/beir/scifact", "a BEIR test set"),
      ])

    @OptionGroup var globals: GlobalOptions
    @Option(
      "Exit with code 4 when a set's measure is below the value, such as page_hit@5=.8.", valueName: "MEASURE=VALUE",
      completion: .choices(MetricFloor.names.map { $0 + "=" }))
    var failUnder: [String]
    @Option("Passages asked for; enough to fill ten pages.", in: 1...100, short: "k") var topK = 50
    @Option("Ask only of this collection.", short: "c", valueName: "NAME") var collection: String?
    @Flag("Also list the questions without a right page among the first five, on standard error.") var misses = false
    @Argument(
      "Files of questions and folders in BEIR's layout.", required: true, valueName: "FILE_OR_FOLDER",
      completion: .file)
    var paths: [String]

    init() {}

    mutating func validate() throws { _ = try floors }

    private var floors: [MetricFloor] {
      get throws {
        try failUnder.map { text in
          do { return try MetricFloor(parsing: text) } catch let error as InsightError {
            throw CommandLineError.usage("--fail-under: \(error.message). \(error.remedy ?? "")")
          }
        }
      }
    }

    mutating func run(_ context: CommandContext) async throws {
      let command = self
      // Everything is read before anything is asked: a typing error in the last file costs no time.
      let inputs = try paths.map(EvaluationInput.init(path:))
      let reports = try await globals.withLibrary(context, traffic: .evaluation) { library in
        var reports: [RetrievalReport] = []
        for input in inputs { reports.append(try await command.report(on: input, of: library, context)) }
        return reports
      }
      let report = RetrievalReport(of: reports)
      if globals.json {
        context.output(String(decoding: try WireCoding.encode(report, pretty: true), as: UTF8.self) + "\n")
      } else {
        context.output(report.text)
      }
      if misses { report.misses(beyond: 5).forEach { context.printError(AnswerText.singleLine($0)) } }
      let failures = try floors.flatMap { $0.failures(in: report) }
      failures.forEach { context.printError($0) }
      if !failures.isEmpty { throw QuietExit(code: ExitCode.belowTarget) }
    }

    private func report(on input: EvaluationInput, of library: Library, _ context: CommandContext) async throws
      -> RetrievalReport
    {
      let progress = EvaluationProgress(context, isQuiet: globals.quiet || globals.json)
      defer { progress.finish() }
      let settings = RetrievalEvaluation.Settings(
        topK: topK, refusalThreshold: library.settings.answering.refusalThreshold)
      let request = library.requestContext(traffic: .evaluation)
      switch input {
      case .questions(let set):
        let evaluation = RetrievalEvaluation(
          retriever: try library.retriever(), index: library.index, settings: settings)
        return try await evaluation.run(
          set, filter: try await EvaluationScope.filter(collection, in: library.index), context: request,
          progress: { progress.show("\($0)/\(set.questions.count) questions") })
      case .beir(let dataset):
        return try await library.withTemporaryIndex { index in
          let embedder = try library.embedder()
          try await BEIRIndexing(chunker: library.chunker(for: embedder), embedder: embedder, index: index).index(
            dataset, progress: { progress.show("indexing \($0.documents) documents, \($0.chunks) chunks") })
          let evaluation = RetrievalEvaluation(
            retriever: try library.retriever(over: index), index: index, settings: settings)
          let set = dataset.questions
          return try await evaluation.run(
            set, context: request, progress: { progress.show("\($0)/\(set.questions.count) questions") })
        }
      }
    }
  }

  /// `quarry evaluate refusal`.
  struct RefusalCommand: Command {
    static let configuration = CommandConfiguration(
      "refusal", abstract: "Fit the model that decides when to refuse, and measure it out of fold.",
      discussion: """
        Asks the questions of the library, and fits a logistic model of whether retrieval found an answer, with \
        stratified ten-fold cross-validation. COLLECTION=FILE asks a file's questions of one collection; with several \
        of those, each file's questions are also asked of the other collections, which do not answer them, and each \
        collection is measured by the model of the others. Prints the ROC, the threshold that refuses at most the \
        given share of answerable questions, and the model. Nothing is changed: the threshold goes into \
        answering.refusalThreshold.
        """,
      examples: [
        .init("quarry evaluate refusal corpus/questions.jsonl", "fit to the questions of the demo library"),
        .init("quarry evaluate refusal law=law.jsonl tax=tax.jsonl", "two collections with a file each"),
      ])

    @OptionGroup var globals: GlobalOptions
    @Option("The share of answerable questions that may be refused.", in: 0...1, valueName: "SHARE")
    var refusedAnswerable = 0.1
    @Argument("Files of questions.", required: true, valueName: "[COLLECTION=]FILE", completion: .file)
    var files: [String]

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let command = self
      let sets = try files.map(ScopedQuestions.init(argument:))
      let settings = RefusalCalibration.Settings(refusedAnswerableLimit: refusedAnswerable)
      let samples = try await globals.withLibrary(context, traffic: .evaluation) { library in
        let progress = EvaluationProgress(context, isQuiet: command.globals.quiet || command.globals.json)
        defer { progress.finish() }
        let calibration = RefusalCalibration(
          retriever: try library.retriever(), index: library.index, settings: settings)
        var samples: [RefusalSample] = []
        for asked in sets {
          let filter = try await EvaluationScope.filter(asked.collection, in: library.index)
          // A file without a collection says nothing of what other files' questions are to it.
          for set in sets
          where set.set.name == asked.set.name || (set.collection ?? asked.collection) != asked.collection {
            samples += try await calibration.samples(
              of: set.set, askedOf: asked.set.name, filter: filter,
              context: library.requestContext(traffic: .evaluation),
              progress: { progress.show("\(set.set.name): \($0) questions") })
          }
        }
        return samples
      }
      let report = try RefusalCalibration.fit(samples, settings: settings)
      if globals.json {
        context.output(String(decoding: try WireCoding.encode(report, pretty: true), as: UTF8.self) + "\n")
      } else {
        context.output(report.text)
      }
    }
  }
}
