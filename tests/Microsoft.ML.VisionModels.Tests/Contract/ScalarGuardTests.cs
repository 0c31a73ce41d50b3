using System.Reflection;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// A <see cref="Scalar"/> that nothing holds may be freed before libtorch has read it (see <see cref="TensorArithmetic"/>), which no test
/// shows for certain. So the compiled code is read: each that is made must be kept in a field, or in a local variable that is disposed
/// of. TorchSharp's own methods are judged alike, and those that do not hold theirs must not be called.
/// </summary>
public class ScalarGuardTests
{
    private static readonly Assembly TorchSharp = typeof(Tensor).Assembly;

    private static readonly Dictionary<MethodBase, Instruction[]> s_bodies = [];

    public static TheoryData<Type> Assemblies => [typeof(BatchTransformer), typeof(ScalarGuardTests)];

    [Theory, MemberData(nameof(Assemblies))]
    public void EveryScalarLivesUntilItIsRead(Type of)
    {
        var loose = of.Assembly.GetTypes().Where(type => type != typeof(Samples)).SelectMany(Instruction.Methods)
            .SelectMany(method => Loose(method).Select(call => $"{Describe(method)} calls {Describe(call)}")).ToArray();
        Assert.True(loose.Length == 0, string.Join('\n', loose));
    }

    [Theory] // or the test above would pass by seeing nothing
    [InlineData(nameof(Samples.Converted), "op_Implicit")]
    [InlineData(nameof(Samples.Named), "op_Implicit")]
    [InlineData(nameof(Samples.Summed), "op_Addition")]
    [InlineData(nameof(Samples.AddedNumber), "add")]
    [InlineData(nameof(Samples.Multiplied), "op_Multiply")]
    [InlineData(nameof(Samples.Counted), "arange")]
    [InlineData(nameof(Samples.Read), "ToDouble")]
    [InlineData(nameof(Samples.Squared), "square")]
    [InlineData(nameof(Samples.Held), null)]
    [InlineData(nameof(Samples.Kept), null)]
    [InlineData(nameof(Samples.WithoutNumbers), null)]
    public void TheScanTellsLooseScalarsFromHeldOnes(string name, string? culprit)
    {
        var method = typeof(Samples).GetMethod(name)!;
        Assert.Equal(culprit is null ? [] : [culprit], Loose(method).Select(call => call.Name));
    }

    /// <summary>The calls that make a scalar, here or within TorchSharp, and lose it.</summary>
    private static IEnumerable<MethodBase> Loose(MethodBase method) =>
        Own(method).Concat(Calls(method).Where(call => IsTorchSharp(call) && !MakesScalar(call) && !TakesWhatItIsGiven(call) && Reachable(call).Any(inner => Own(inner).Any())));

    private static IEnumerable<MethodBase> Own(MethodBase method)
    {
        var body = Body(method);
        return Enumerable.Range(0, body.Length).Where(i => body[i].Member is MethodBase call && MakesScalar(call) && !IsHeld(body, i)).Select(i => (MethodBase)body[i].Member!);
    }

    private static bool IsHeld(Instruction[] body, int made) => body[made + 1] switch
    {
        { Name: "stfld" or "stsfld" } => true,
        { Name: "stloc", Local: { } local } => body.Zip(body.Skip(1)).Any(pair => pair is ({ Name: "ldloc", Local: var read }, { Member.Name: "Dispose" }) && read == local),
        _ => false,
    };

    /// <summary>A method of TorchSharp and all that it calls there, but for overrides.</summary>
    private static HashSet<MethodBase> Reachable(MethodBase method)
    {
        var found = new HashSet<MethodBase>();
        var next = new Stack<MethodBase>([method]);
        while (next.TryPop(out var one))
        {
            if (IsTorchSharp(one) && !MakesScalar(one) && found.Add(one))
                Array.ForEach([.. Calls(one)], next.Push);
        }
        return found;
    }

    private static IEnumerable<MethodBase> Calls(MethodBase method) => Body(method).Select(instruction => instruction.Member).OfType<MethodBase>();

    private static Instruction[] Body(MethodBase method)
    {
        if (!s_bodies.TryGetValue(method, out var body))
            s_bodies[method] = body = [.. Instruction.Of(method).Where(instruction => instruction.Name != "nop")];
        return body;
    }

    private static bool MakesScalar(MethodBase call) => IsTorchSharp(call) && call is MethodInfo { ReturnType: var type } && type == typeof(Scalar);

    // Only numbers become scalars there: the package gives it scalars.
    private static bool TakesWhatItIsGiven(MethodBase call) => call.DeclaringType == typeof(jit.CompilationUnit) && call.Name == "invoke";

    private static bool IsTorchSharp(MethodBase method) => method.DeclaringType?.Assembly == TorchSharp;

    private static string Describe(MethodBase method) =>
        $"{method.DeclaringType?.FullName}.{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.Name))})";

    private static class Samples
    {
        private static readonly Scalar s_kept = 2;

        public static Tensor Converted(Tensor x) => x.mul(2);

        public static Tensor Named(Tensor x)
        {
            Scalar number = 2;
            return x.mul(number);
        }

        public static Tensor Summed(Tensor x) => x + x;

        public static Tensor AddedNumber(Tensor x) => x.add(s_kept);

        public static Tensor Multiplied(Tensor x) => 2 * x;

        public static Tensor Counted(Tensor x) => arange(s_kept, device: x.device);

        public static double Read(Tensor x) => x.ToDouble();

        public static Tensor Squared(Tensor x) => x.square();

        public static Tensor Held(Tensor x)
        {
            using Scalar low = 1, high = 2;
            return x.clamp(low, high);
        }

        public static Tensor Kept(Tensor x) => x.mul(s_kept).Add(x).Mul(3);

        public static Tensor WithoutNumbers(Tensor x) => (x - x.relu()) * nn.functional.normalize(x);
    }
}
