using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>How Hugging Face's diffusers names the tensors of U-Nets and autoencoders: as this package does, but for layers that are one here, and for those that it keeps in lists.</summary>
internal static class DiffusersDialect
{
    private const string Name = "diffusers";

    /// <summary>A linear layer that is stored as a convolution of one place.</summary>
    internal static readonly Func<long[], long[]> AsConvolution = shape => [.. shape, 1, 1];

    public static Dialect UNet(UNetConfig config) => new(Name)
    {
        Rules =
        [
            ("class_table", "class_embedding.weight"),
            .. Transformer("**", "**", config.LinearProjection),
            .. Blocks,
            .. Same("conv_in.*", "time_embedding.**", "class_embedding.**", "add_embedding.**", "down_blocks.**", "mid_block.**", "up_blocks.**", "conv_norm_out.*", "conv_out.*"),
        ],
    };

    public static Dialect Autoencoder { get; } = new(Name)
    {
        Rules =
        [
            .. Blocks,
            .. new[] { "encoder", "decoder" }.SelectMany(half =>
                Same($"{half}.conv_in.*", $"{half}.down_blocks.**", $"{half}.mid_block.**", $"{half}.up_blocks.**", $"{half}.conv_norm_out.*", $"{half}.conv_out.*")),
            .. Same("quant_conv.*", "post_quant_conv.*"),
        ],
    };

    /// <summary>A spatial transformer's layers, which the original code names alike.</summary>
    /// <param name="ours">What stands before them in our names.</param>
    /// <param name="theirs">What stands before them in the publisher's.</param>
    /// <param name="linear">Whether the layers around it are stored as linear layers.</param>
    internal static IEnumerable<DialectRule> Transformer(string ours, string theirs, bool linear)
    {
        var (our, their) = ($"{ours}.transformer_blocks.*", $"{theirs}.transformer_blocks.*");
        return
        [
            ($"{our}.attn1.qkv.*", $"{their}.attn1.{{to_q,to_k,to_v}}.*"),
            ($"{our}.attn*.proj.*", $"{their}.attn*.to_out.0.*"),
            .. new[] { "q", "k", "v" }.Select(part => new DialectRule($"{our}.attn*.{part}.*", $"{their}.attn*.to_{part}.*")),
            .. new[] { "q", "k", "v" }.Select(part => new DialectRule($"{our}.cross_attn1.{part}.*", $"{their}.attn1.to_{part}.*")),
            ($"{our}.cross_attn1.proj.*", $"{their}.attn1.to_out.0.*"),
            ($"{our}.ff.fc1.*", $"{their}.ff.net.0.proj.*"),
            ($"{our}.ff.fc2.*", $"{their}.ff.net.2.*"),
            ($"{our}.norm*.*", $"{their}.norm*.*"),
            new($"{ours}.proj_in.weight", $"{theirs}.proj_in.weight") { Reshape = linear ? null : AsConvolution },
            new($"{ours}.proj_out.weight", $"{theirs}.proj_out.weight") { Reshape = linear ? null : AsConvolution },
            ($"{ours}.proj_in.bias", $"{theirs}.proj_in.bias"),
            ($"{ours}.proj_out.bias", $"{theirs}.proj_out.bias"),
        ];
    }

    // Attention between places has had other names, which most published files still bear.
    private static DialectRule[] Blocks =>
    [
        ("**.attn.qkv.*", "**.{to_q,to_k,to_v}.* | **.{query,key,value}.*"),
        ("**.attn.proj.*", "**.to_out.0.* | **.proj_attn.*"),
        ("**.downsample.conv.*", "**.downsamplers.0.conv.*"),
        ("**.upsample.conv.*", "**.upsamplers.0.conv.*"),
    ];

    private static IEnumerable<DialectRule> Same(params string[] names) => names.Select(name => new DialectRule(name, name));
}
