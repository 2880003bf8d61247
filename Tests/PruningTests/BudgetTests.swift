import Foundation
import Pruning
import TestSupport
import Testing

@Suite struct BudgetTests {
    @Test func targetsAreReadFromText() throws {
        #expect(try Budget(parsing: "macs=0.5") == Budget(.macs, 0.5))
        #expect(try Budget(parsing: "params=0.25") == Budget(.params, 0.25))
        #expect(try Budget(parsing: "sparsity=0.3") == Budget(.sparsity, 0.3))
        #expect(try Budget(parsing: "macs=0.5").description == "macs=0.5")
        #expect(try Budget(parsing: Budget(.params, 0.4).description) == Budget(.params, 0.4))
    }

    @Test func severalLimitsAreReadInTheirOrder() throws {
        let budget = try Budget(parsing: "params=0.4,macs=0.5")
        #expect(budget.limits.map(\.quantity) == [.params, .macs] && budget.limits.map(\.value) == [0.4, 0.5])
        #expect(budget.remaining == 0.4 && budget.description == "params=0.4,macs=0.5")
        #expect(try Budget(parsing: budget.description) == budget)
        #expect(try Budget(parsing: "macs=0.5,params=0.4") != budget)
        #expect(try JSONDecoder().decode(Budget.self, from: JSONEncoder().encode(budget)) == budget)
        #expect(try Budget(parsing: "sparsity=0.3,macs=0.9").remaining == 0.7)
    }

    /// A sparsity counts the coordinates of the space; zeros among weights change neither products nor parameters.
    @Test func whatIsCountedDependsOnTheSpace() throws {
        let network = try ChainNetwork()
        func kinds(_ text: String, _ space: PruningSpace.Kind) throws -> [CostKind] {
            try Budget(parsing: text).costs(in: .of(space, in: network), of: network).map(\.kind)
        }
        #expect(try kinds("macs=0.5,params=0.5,sparsity=0.5", .channels) == [.macs, .parameters, .channels])
        #expect(try kinds("sparsity=0.5", .weights) == [.weights])
        for text in ["macs=0.5", "sparsity=0.5,params=0.5"] {
            #expect {
                _ = try kinds(text, .weights)
            } throws: {
                guard case BudgetError.notCounted? = $0 as? BudgetError else { return false }
                return "\($0)".contains("sparsity=")
            }
        }
    }

    /// The user's own quantity, and the nearest number that can be had.
    @Test func whatCannotBeReachedIsSaidInTheUsersWords() {
        func words(_ quantity: String, _ asked: Double, _ minimum: Double) -> String {
            "\(BudgetError.unreachable(asked: asked, minimum: minimum, quantity: quantity))"
        }
        let sparsity = words("sparsity", 1 - 0.95, 0.12191)
        #expect(sparsity.contains("target sparsity=0.95 cannot") && sparsity.contains("at most sparsity=0.878"))
        let macs = words("macs", 0.001, 0.023311734898929556)
        #expect(macs.contains("target macs=0.001 cannot") && macs.contains("at least macs=0.0234"))
        #expect(words("sparsity", 0.5, 1).contains("at most sparsity=0"))
    }

    @Test func aMistypedQuantityHasANearestOne() {
        #expect { try Budget(parsing: "params=0.5,mac=0.5") } throws: { "\($0)".contains("did you mean 'macs'?") }
        #expect { try Budget(parsing: "macs=1.5") } throws: { "\($0)".contains("macs=1.5 must lie between 0 and 1") }
    }

    @Test func sparsityIsWhatLeavesAndTheOthersWhatStays() throws {
        #expect(try Budget(.macs, 0.4).remaining == 0.4)
        #expect(try Budget(.params, 0.4).remaining == 0.4)
        #expect(try Budget(.sparsity, 0.75).remaining == 0.25)
    }

    @Test(arguments: [
        "", "macs", "macs=", "=0.5", "macs=half", "flops=0.5", "macs 0.5", "macs=0.5=0.6", "MACS=0.5",
        "macs=0.5,", ",macs=0.5", "macs=0.5,macs=0.4", "macs=0.5;params=0.5", "macs=0.5, params=0.5",
    ])
    func unreadableTargetsAreRefusedWithTheForm(text: String) {
        #expect {
            try Budget(parsing: text)
        } throws: {
            "\($0)".contains("'\(text)'") && "\($0)".contains("macs, params, sparsity")
        }
    }

    @Test(arguments: ["0", "1", "-0.5", "1.5", "nan", "inf"]) func targetsOutsideTheOpenUnitIntervalAreRefused(
        value: String
    ) {
        for quantity in Budget.Quantity.allCases {
            #expect {
                try Budget(parsing: "\(quantity.rawValue)=\(value)")
            } throws: {
                "\($0)".contains(quantity.rawValue) && "\($0)".contains("between 0 and 1")
            }
        }
    }
}
