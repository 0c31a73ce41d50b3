using Microsoft.ML.VisionModels.Layers;
using BatchNorm = Microsoft.ML.VisionModels.Layers.BatchNorm;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// The layers between an embedding and the space in which a method compares, one after the other. They are numbered as in the
/// authors' sequences, activations included. Batch norms take their statistics over the batch.
/// </summary>
internal sealed class ProjectionHead : TorchSharp.Modules.ModuleList<nn.Module<Tensor, Tensor>>
{
    private ProjectionHead(params nn.Module<Tensor, Tensor>[] layers) : base(layers) => RegisterComponents();

    /// <summary>Two linear layers with batch norm between (BYOL's projector and predictor, SimCLR's projector).</summary>
    public static ProjectionHead Mlp(int input, int hidden, int output) => new(new Linear(input, hidden), new BatchNorm(hidden), nn.ReLU(), new Linear(hidden, output));

    /// <summary>SimSiam's projector (arXiv 2011.10566): three linear layers without bias, each with batch norm, the last of which has no weights.</summary>
    public static ProjectionHead SimSiam(int input, int hidden, int output) => new(
        new Linear(input, hidden, hasBias: false), new BatchNorm(hidden), nn.ReLU(),
        new Linear(hidden, hidden, hasBias: false), new BatchNorm(hidden), nn.ReLU(),
        new Linear(hidden, output, hasBias: false), new BatchNorm(output, affine: false));

    /// <summary>DINO's layers before the last: linear with GELU between, with batch norm on request.</summary>
    public static ProjectionHead Gelu(int input, int hidden, int output, int layers, bool batchNorm)
    {
        if (layers == 1)
            return new(new Linear(input, output));
        var stack = new List<nn.Module<Tensor, Tensor>>();
        for (var layer = 0; layer < layers - 1; layer++)
        {
            stack.Add(new Linear(layer == 0 ? input : hidden, hidden));
            if (batchNorm)
                stack.Add(new BatchNorm(hidden));
            stack.Add(nn.GELU());
        }
        return new([.. stack, new Linear(hidden, output)]);
    }

    /// <summary>[B, D] to [B, D'].</summary>
    public Tensor forward(Tensor x)
    {
        foreach (var layer in this)
            x = layer.forward(x).to(ScalarType.Float32);       // norms and what is compared have 32 bits, whatever the products have
        return x;
    }

    /// <summary>Draws the linear layers, each with PyTorch's spread for its width.</summary>
    public void Draw(Generator generator)
    {
        foreach (var layer in this.OfType<Linear>())
            Initialization.Fill(layer, 1 / Math.Sqrt(3 * layer.weight.shape[1]), generator);
    }
}
