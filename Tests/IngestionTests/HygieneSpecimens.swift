import Core
import Ingestion

/// Pages that one rule alone sets right.
struct HygieneSpecimen {
  var pages: [PrintedPage]
  /// Whether the pages are right.
  var isRight: @Sendable ([Page]) -> Bool

  /// The specimen of a rule. The switch is exhaustive: a rule without one does not compile.
  static func of(_ rule: HygieneRule) -> HygieneSpecimen {
    switch rule {
    case .characterRepair: characterRepair
    case .ligatureRecovery: ligatureRecovery
    case .rotatedText: rotatedText
    case .rightToLeft: rightToLeft
    case .unspacedScripts: unspacedScripts
    case .verticalText: verticalText
    case .marginText: marginText
    case .columnOrder: columnOrder
    case .runningLines: runningLines
    case .hyphenation: hyphenation
    case .headings: headings
    case .paragraphs: paragraphs
    case .tableRows: tableRows
    case .preformatted: preformatted
    case .lists: lists
    case .footnotes: footnotes
    case .contents: contents
    }
  }

  private init(_ pages: PrintedPage..., isRight: @escaping @Sendable ([Page]) -> Bool) {
    self.pages = pages
    self.isRight = isRight
  }

  private init(_ pages: PrintedPage..., text: String) {
    self.pages = pages
    isRight = { $0[0].text == text }
  }

  private static func page(_ number: Int = 1, _ print: (inout PrintedPage) -> Void) -> PrintedPage {
    var page = PrintedPage(number)
    print(&page)
    return page
  }

  private static let characterRepair = HygieneSpecimen(
    page { $0.print("The o\u{FB03}ce is open.", x: 50, y: 100) }, text: "The office is open.")

  private static let ligatureRecovery = HygieneSpecimen(
    page {
      $0.print("If of for if from of after often left effort", x: 50, y: 88)
      $0.print("the frst", x: 50, y: 100)
      $0.widenLast("f", by: 1.7)
    }, text: "If of for if from of after often left effort the first")

  private static let rotatedText = HygieneSpecimen(
    page {
      $0.print(["This sentence begins here and", "goes on below the margin text"], x: 50, y: 100)
      $0.printUpwards("arXiv stamp", x: 20, y: 400)
      $0.print(["until it ends."], x: 50, y: 124)
    }
  ) {
    $0[0].texts(.paragraph) == ["This sentence begins here and goes on below the margin text until it ends."]
      && $0[0].texts(.aside) == ["arXiv stamp"]
  }

  /// Poppler hands out the word in logical order and its boxes from left to right.
  private static let rightToLeft = HygieneSpecimen(
    page {
      let letters = Array("\u{5D0}\u{5D1}\u{5D2}-19".unicodeScalars)
      $0.print(glyphs: letters.enumerated().map { ($1, 50 + 5 * Float($0)) }, y: 100)
    }
  ) { $0[0].text == "\u{5D0}\u{5D1}\u{5D2}-19" && $0[0].boxes.map { $0?.left } == [75, 70, 65, 60, 50, 55] }

  private static let unspacedScripts = HygieneSpecimen(
    page { $0.print(["古い堰は町の近くの大きな川にあり、洪水から畑を", "守るために造られた。"], x: 50, y: 100) },
    text: "古い堰は町の近くの大きな川にあり、洪水から畑を守るために造られた。")

  private static let verticalText = HygieneSpecimen(
    page {
      let columns = ["古い堰は町の近くの大きな", "川にあり洪水から畑を守る"].map { Array($0.unicodeScalars) }
      for row in 0..<12 {
        $0.print(glyphs: [(columns[1][row], 80), (" ", nil), (columns[0][row], 98)], y: 100 + 11 * Float(row))
      }
    }, text: "古い堰は町の近くの大きな川にあり洪水から畑を守る")

  private static let marginText = HygieneSpecimen(
    page {
      let words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
      for (line, word) in words.enumerated() {
        // The numbers of a court's transcript.
        $0.print("\(line + 1)", x: 50, y: 100 + 12 * Float(line))
        $0.print("and the witness said the number \(word) that day", x: 80, y: 100 + 12 * Float(line))
      }
      $0.print("remark on six", x: 420, y: 160, size: 7)
      $0.print("at the side", x: 420, y: 169, size: 7)
    }
  ) {
    $0[0].texts(.paragraph).count == 1 && $0[0].text.contains("six that day and the witness said the number seven")
      && $0[0].texts(.aside) == ["remark on six at the side"]
  }

  private static let columnOrder = HygieneSpecimen(
    page {
      for line in 0..<6 {
        // The extractor hands out rows across the gutter: the worst order there is.
        $0.print("left text of the line \(line) here", x: 50, y: 100 + Float(line) * 12)
        $0.print("right text of the line \(line) is", x: 310, y: 100 + Float(line) * 12)
      }
    }
  ) { pages in
    guard let left = pages[0].text.firstRange(of: "line 5 here"), let right = pages[0].text.firstRange(of: "line 0 is")
    else { return false }
    return left.upperBound < right.lowerBound
  }

  private static let runningLines = HygieneSpecimen(
    footed(1, "alpha"), footed(2, "bravo"), footed(3, "charlie"), footed(4, "delta")
  ) { $0[2].text == "Text about charlie on this page." }

  private static func footed(_ number: Int, _ word: String) -> PrintedPage {
    page(number) {
      $0.print("Annual Report 2024", x: 50, y: 30)
      $0.print("Text about \(word) on this page.", x: 50, y: 200)
      $0.print("\(number + 16)", x: 290, y: 770)
    }
  }

  private static let hyphenation = HygieneSpecimen(
    page { $0.print(["There is infor-", "mation in it."], x: 50, y: 100) }, text: "There is information in it.")

  private static let headings = HygieneSpecimen(
    page {
      $0.print("2 Methods", x: 50, y: 80, size: 14)
      $0.print(["We measured everything twice and", "wrote it down in this report."], x: 50, y: 110)
    }
  ) { $0[0].texts(.heading(level: 1)) == ["2 Methods"] }

  private static let paragraphs = HygieneSpecimen(
    page(1) {
      $0.print(["A paragraph ends here after two lines", "that are not long."], x: 50, y: 100)
      $0.print(["Another one is not at its end when", "the page is, because the sentence it is"], x: 50, y: 160)
    },
    page(2) { $0.print(["in goes on at the top of the next page.", "Then another follows it."], x: 50, y: 60) }
  ) { $0[0].texts(.paragraph).count == 2 && $0[0].blocks.last?.continuesOnNextPage == true }

  private static let tableRows = HygieneSpecimen(
    page {
      $0.print("The table shows permits by state and year.", x: 50, y: 80)
      for (row, cells) in [["State", "2014", "2015"], ["Alabama", "18,870", "19,001"], ["Alaska", "209", "98"]]
        .enumerated()
      {
        for (column, cell) in cells.enumerated() {
          $0.print(cell, x: 50 + Float(column) * 120, y: 120 + Float(row) * 14)
        }
      }
    }
  ) { $0[0].texts(.table) == ["State\t2014\t2015\nAlabama\t18,870\t19,001\nAlaska\t209\t98"] }

  private static let preformatted = HygieneSpecimen(
    page {
      $0.print("Call it like this, with care:", x: 50, y: 100)
      $0.print(["for i in list:", "  work(i)", "done()"], x: 60, y: 120, mono: true)
    }
  ) { $0[0].texts(.preformatted) == ["for i in list:\n  work(i)\ndone()"] }

  private static let lists = HygieneSpecimen(
    page {
      $0.print("You need the following things at hand:", x: 50, y: 100)
      $0.print(["\u{2022} a pump that works", "\u{2022} some water"], x: 60, y: 112)
    }
  ) { $0[0].texts(.listItem) == ["\u{2022} a pump that works", "\u{2022} some water"] }

  /// A note stands below its page, and not in the sentence that runs over the page's end.
  private static let footnotes = HygieneSpecimen(
    page(1) {
      $0.print(
        ["The text refers to a note1 and then goes", "on until the page ends without a stop and"], x: 50, y: 600)
      $0.print(["1 See the other report, which says more", "about it than this one."], x: 50, y: 720, size: 8)
    },
    page(2) { $0.print(["only then does it end, on the next page.", "Another follows it there."], x: 50, y: 60) }
  ) {
    $0[0].texts(.footnote) == ["1 See the other report, which says more about it than this one."]
      && $0[0].blocks.first?.continuesOnNextPage == true
  }

  private static let contents = HygieneSpecimen(
    page {
      $0.print("Contents", x: 50, y: 60, size: 16)
      for (line, title) in ["Introduction", "Methods", "Results", "Annex"].enumerated() {
        $0.print("\(title) ............................ \(line * 7 + 1)", x: 50, y: 100 + Float(line) * 14)
      }
    }
  ) { $0[0].texts(.contents) == ["Introduction ... 1\nMethods ... 8\nResults ... 15\nAnnex ... 22"] }
}
