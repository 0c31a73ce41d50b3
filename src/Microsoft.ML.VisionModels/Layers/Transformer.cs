using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// The stack of blocks that every transformer of this package is a configuration of. As a member named <c>blocks</c>
/// its parameters are called <c>blocks.0.attn.qkv.weight</c> and so on.
/// </summary>
internal sealed class Transformer : ModuleList<TransformerBlock>
{
    private readonly Generator? _generator;

    public Transformer(TransformerConfig config, Generator? generator = null)
        : base([.. Enumerable.Range(0, config.Depth).Select(layer => new TransformerBlock(config, layer, generator))])
    {
        RegisterComponents();
        _generator = generator;
    }

    /// <summary>Whether training computes the blocks twice to save memory; not those under a mask, or that are traced.</summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>Tokens [B, T, D] to tokens [B, T, D]. Traces <c>hidden_states.0</c> (the input) to <c>hidden_states.Depth</c>, and <c>attentions.i</c>.</summary>
    public Tensor forward(Tensor x, Tensor? mask = null, Trace? trace = null)
    {
        trace?.Add("hidden_states.0", x);
        for (var layer = 0; layer < Count; layer++)
        {
            var block = this[layer];
            x = GradientCheckpointing && mask is null && trace is null
                ? Layers.GradientCheckpointing.Run(block, block.forward, x, _generator)
                : block.forward(x, mask, trace);
            trace?.Add($"hidden_states.{layer + 1}", x);
        }
        return x;
    }
}
