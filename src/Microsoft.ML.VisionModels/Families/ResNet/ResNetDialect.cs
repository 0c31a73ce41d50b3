using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>How the published checkpoints of ResNet name their tensors.</summary>
internal static class ResNetDialect
{
    private const string Counter = "num_batches_tracked";

    // How many batches a norm has seen, which matters only without a momentum; older files do without.
    private static readonly string[] s_ignored = [$"**.{Counter}"];

    private static readonly int[] s_stages = [.. Enumerable.Range(0, ResNetConfig.Stages)];

    /// <summary>The names that a file may bear.</summary>
    public static IReadOnlyList<Dialect> All => [HuggingFace, Torchvision];

    /// <summary>torchvision's names, which are also timm's, and our own.</summary>
    public static Dialect Torchvision { get; } = new("torchvision")
    {
        Rules =
        [
            ("conv1.*", "conv1.*"),
            ("bn1.*", "bn1.*"),
            .. s_stages.Select(stage => new DialectRule($"layer{stage + 1}.**", $"layer{stage + 1}.**")),
            ("fc.*", "fc.*"),
        ],
        Ignored = s_ignored,
    };

    /// <summary>Hugging Face's names. Without a head they carry no prefix, with one <c>resnet.</c>; either is read.</summary>
    public static Dialect HuggingFace { get; } = new("Hugging Face")
    {
        Prefixes = ["resnet."],
        Rules = [("conv1.*", "embedder.embedder.convolution.*"), ("bn1.*", "embedder.embedder.normalization.*"), .. s_stages.SelectMany(Blocks)],
        Heads = [("fc.*", "classifier.1.*")],
        Ignored = s_ignored,
    };

    /// <summary>What Hugging Face's files hold beside the weights: a counter for each norm. Releases of their library that fill only what a file holds want it.</summary>
    public static IEnumerable<(string Name, Tensor Value)> HuggingFaceCounters(ResNetConfig config)
    {
        var norms = s_stages.SelectMany(stage => Enumerable.Range(0, config.Depths[stage]).SelectMany(block =>
            (config.Block == ResNetBlockKind.Basic ? (string[])["bn1", "bn2"] : ["bn1", "bn2", "bn3"])
                .Concat(HasProjection(stage, block) ? ["downsample.1"] : [])
                .Select(norm => $"layer{stage + 1}.{block}.{norm}")));
        return norms.Prepend("bn1").Select(norm => (HuggingFace.Map($"{norm}.{Counter}", [], config.Classes is null ? "" : "resnet.").Parts[0], tensor(0L)));

        bool HasProjection(int stage, int block) =>
            block == 0 && (config.StrideOf(stage) != 1 || config.Widths[stage] != (stage == 0 ? config.Width : config.Widths[stage - 1]));
    }

    private static IEnumerable<DialectRule> Blocks(int stage)
    {
        var (ours, theirs) = ($"layer{stage + 1}.*", $"encoder.stages.{stage}.layers.*");
        return
        [
            .. Enumerable.Range(0, 3).SelectMany(i => (DialectRule[])
            [
                ($"{ours}.conv{i + 1}.*", $"{theirs}.layer.{i}.convolution.*"),
                ($"{ours}.bn{i + 1}.*", $"{theirs}.layer.{i}.normalization.*"),
            ]),
            ($"{ours}.downsample.0.*", $"{theirs}.shortcut.convolution.*"),
            ($"{ours}.downsample.1.*", $"{theirs}.shortcut.normalization.*"),
        ];
    }
}
