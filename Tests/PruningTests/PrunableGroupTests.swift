import Pruning
import TensorCore
import Testing
import Training

@Suite struct PrunableGroupTests {
    /// Every dimension of every weight lies on a group or on one of the model's fixed ends.
    @Test(arguments: TinyUNet.all) func groupsCoverEveryWeight(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        #expect(groups.map(\.name) == model.channelGroups.filter(\.isPrunable).map(\.name))
        #expect(Set(groups.map(\.name)).count == groups.count)

        let trainable = model.parameters.filter(\.isTrainable)
        for (index, parameter) in trainable.enumerated() {
            for (dimension, axis) in parameter.axes.enumerated() {
                guard let axis else { continue }
                #expect(axis.width == parameter.variable.shape[dimension], "\(parameter.name)")
                // The members' runs and the fixed channels tile the dimension.
                var covered: [ClosedRange<Int>] = []
                for group in groups {
                    for member in group.members where member.parameterIndex == index && member.dimension == dimension {
                        #expect(member.parameter === parameter)
                        covered.append(member.offset...(member.offset + group.width - 1))
                    }
                }
                let fixed = axis.groups.filter { !$0.isPrunable }.reduce(0) { $0 + $1.width }
                let channels = covered.flatMap { Array($0) }
                #expect(Set(channels).count == channels.count, "\(parameter.name): runs overlap")
                #expect(channels.count + fixed == axis.width, "\(parameter.name)")
            }
            let ends = ["time_proj.weight", "conv_out.bias", "up_blocks.0.skip_conv.bias"]
            let isCovered = groups.contains { $0.members.contains { $0.parameterIndex == index } }
            #expect(isCovered || ends.contains(parameter.name), "\(parameter.name) lies on no group")
        }
    }

    /// Against a count by hand: every element is put on the channels its indices name.
    @Test(arguments: TinyUNet.all) func sumsAddUpEveryWeightOnAChannel(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let trainable = model.parameters.filter(\.isTrainable)
        func value(_ parameter: Int, _ element: Int) -> Double { Double((parameter * 31 + element * 17) % 101) }
        var expected = groups.map { [Double](repeating: 0, count: $0.width) }
        for (index, parameter) in trainable.enumerated() {
            let shape = parameter.variable.shape
            for element in 0..<parameter.count {
                var rest = element
                for dimension in shape.indices.reversed() {
                    var position = rest % shape[dimension]
                    rest /= shape[dimension]
                    for axisGroup in parameter.axes[dimension]?.groups ?? [] {
                        if (0..<axisGroup.width).contains(position),
                            let number = groups.firstIndex(where: { $0.axis === axisGroup })
                        {
                            expected[number][position] += value(index, element)
                        }
                        position -= axisGroup.width
                    }
                }
            }
        }
        let arena = ParameterArena(model.parameters)
        let flat = Tensor(zeros: [arena.count])
        for (index, range) in arena.ranges.enumerated() {
            for (element, place) in range.enumerated() { flat.pointer[place] = Float(value(index, element)) }
        }
        for (number, group) in groups.enumerated() {
            #expect(group.sums(of: flat, in: arena) == expected[number], "\(group.name)")
        }
    }
}
