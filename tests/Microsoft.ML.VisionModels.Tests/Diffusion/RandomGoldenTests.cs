using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>A seed gives the noise that it gives in Python, so an image can be made again from what others tell of it.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public partial class RandomGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("rng");

    // Streams of the math library that torch was built with: the reference's build has none, ours has MKL's.
    private static readonly string[] s_ofTheBuild = ["bernoulli", "dropout", "exponential", "multinomial"];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void StreamsEqualTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        foreach (var draws in golden.Matching(DrawName()).GroupBy(pair => $"{pair.Match.Groups["seed"].Value}.{pair.Match.Groups["draw"].Value}"))
        {
            var match = draws.First().Match;
            if (s_ofTheBuild.Any(match.Groups["draw"].Value.StartsWith))
                continue;
            using var generator = new Generator(ulong.Parse(match.Groups["seed"].Value, CultureInfo.InvariantCulture));
            // Parts of a draw come in order, whichever the file names first.
            foreach (var (tensor, part) in draws.OrderByDescending(pair => pair.Match.Groups["part"].Value == "weight").ThenBy(pair => pair.Tensor, StringComparer.Ordinal))
            {
                var actual = Draw(match.Groups["draw"].Value, part.Groups["part"].Value, [.. golden.Tensors[tensor].Shape], generator);
                golden.AssertClose(tensor, actual);
                Assert.True((actual.to(float64) - golden.Expected(tensor).to(float64)).abs().max().Item() <= 1e-6, tensor);
            }
        }
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => !s_ofTheBuild.Any(tensor.Contains)));
    }

    /// <summary>What a call draws next.</summary>
    /// <param name="draw">The call, such as <c>randn40_then_rand4</c>.</param>
    /// <param name="part">Which of its parts, such as <c>a</c>.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="generator">The stream.</param>
    private static Tensor Draw(string draw, string part, long[] shape, Generator generator)
    {
        var call = part is "a" or "b" && draw.Split("_then_") is [var first, var second] ? (part == "a" ? first : second) : draw;
        var numbers = Number().Matches(call).Select(number => double.Parse(number.Value, CultureInfo.InvariantCulture)).ToArray();
        return CallName().Match(call).Value switch
        {
            "randn" when call.Contains("double", StringComparison.Ordinal) => randn(shape, float64, generator: generator).to(float32),
            "randn" => randn(shape, generator: generator),
            "rand" => rand(shape, generator: generator),
            "randint" => call.Contains("neg", StringComparison.Ordinal) ? randint(-(long)numbers[0], (long)numbers[1], shape, generator: generator) : randint((long)numbers[0], shape, generator: generator),
            "randperm" => randperm(shape[0], int64, generator: generator),
            "normal" => empty(shape).normal_(numbers[0], numbers[1], generator),
            "uniform" => empty(shape).uniform_(numbers[0], numbers[1], generator),
            "embedding" => empty(shape).normal_(0, 1, generator),
            "xavier" => Within(Math.Sqrt(6.0 / shape.Sum())),
            // The bound is by how many numbers go into one, for weights and for biases.
            "linear" => Within(1 / Math.Sqrt(numbers[0])),
            "conv" => Within(1 / Math.Sqrt(numbers[0] * numbers[2] * numbers[2])),
            "trunc" => Truncated(numbers[0]),
            _ => throw new ArgumentException($"{draw} is not known."),
        };

        Tensor Truncated(double std)
        {
            var values = empty(shape);
            Initialization.TruncatedNormal(values, std, generator);
            return values;
        }

        Tensor Within(double bound) => empty(shape).uniform_(-bound, bound, generator);
    }

    [GeneratedRegex(@"^(seed|generator)(?<seed>\d+)\.(?<draw>[^.]+(\.\d[^.]*)?)(\.(?<part>[a-z]+))?$")]
    private static partial Regex DrawName();

    [GeneratedRegex("^[a-z]+")]
    private static partial Regex CallName();

    [GeneratedRegex(@"-?\d+(\.\d+)?")]
    private static partial Regex Number();
}
