using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>How the published checkpoints of tiny autoencoders name their tensors.</summary>
internal static class TinyAutoencoderDialect
{
    // Layers within a block, ours and theirs, where activations count.
    private static readonly (string Ours, string Theirs)[] s_block =
        [("conv1", "conv.0"), ("conv2", "conv.2"), ("conv3", "conv.4"), ("pool1", "pool.0"), ("pool_norm", "pool.1"), ("pool2", "pool.3")];

    /// <summary>The names that a file with both halves may bear, those of diffusers first.</summary>
    public static IReadOnlyList<Dialect> All(TinyAutoencoderConfig config) =>
    [
        new("diffusers") { Rules = [.. Layer("encoder.layers.*", "encoder.layers.*"), .. Layer("decoder.layers.*", "decoder.layers.*")] },
        new("TAESD") { Rules = [.. Half("encoder.", "encoder.", config.EncoderDepth, 0), .. Half("decoder.", "decoder.", config.DecoderDepth, 1)] },
    ];

    /// <summary>The authors' names in an encoder's file.</summary>
    public static Dialect Encoder(TinyAutoencoderConfig config) => new("TAESD") { Rules = [.. Half("", "", config.EncoderDepth, 0)] };

    /// <summary>The authors' names in a decoder's file.</summary>
    public static Dialect Decoder(TinyAutoencoderConfig config) => new("TAESD") { Rules = [.. Half("", "", config.DecoderDepth, 1)] };

    // What bends the latents is a layer of the authors' decoder, and moves the numbers of all that follow it.
    private static IEnumerable<DialectRule> Half(string ours, string theirs, int depth, int firstNumber) =>
        Enumerable.Range(0, depth).SelectMany(layer => Layer($"{ours}layers.{layer}", $"{theirs}{layer + firstNumber}"));

    private static IEnumerable<DialectRule> Layer(string ours, string theirs) =>
        [.. s_block.Select(part => new DialectRule($"{ours}.{part.Ours}.*", $"{theirs}.{part.Theirs}.*")), ($"{ours}.*", $"{theirs}.*")];
}
