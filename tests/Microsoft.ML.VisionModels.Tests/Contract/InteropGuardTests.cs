using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// The internals of ML.NET that the package uses (docs/decisions/0001-mlnet-access.md). Fails where an ML.NET upgrade takes one away
/// or the package begins to use another.
/// </summary>
public class InteropGuardTests
{
    private static readonly Assembly Package = typeof(BatchTransformer).Assembly;

    private static readonly string[] Expected =
    [
        "CatalogUtils",
        "CatalogUtils.GetEnvironment",
        "ICancelable",
        "ICancelable.CancelExecution",
        "ICancelable.get_IsCanceled",
        "IHostEnvironmentInternal",
        "IHostEnvironmentInternal.get_FallbackToCpu",
        "IHostEnvironmentInternal.get_GpuDeviceId",
        "IHostEnvironmentInternal.get_Seed",
        "IInternalCatalog",
        "LoadableClassAttribute",
        "LoadableClassAttribute..ctor",
        "ModelLoadContext",
        "ModelLoadContext.CheckAtModel",
        "ModelLoadContext.Directory",
        "ModelLoadContext.LoadModel",
        "ModelLoadContext.Repository",
        "ModelSaveContext.CheckAtModel",
        "ModelSaveContext.SaveBinaryStream",
        "ModelSaveContext.SaveModel",
        "ModelSaveContext.SaveTextStream",
        "ModelSaveContext.SetVersionInfo",
        "RepositoryReader",
        "SchemaShape.Column..ctor",
        "SchemaShape.Column.GetTypeString",
        "SchemaShape.Create",
        "SchemaShape.TryFindColumn",
        "SignatureLoadModel",
        "VersionInfo",
        "VersionInfo..ctor",
    ];

    [Fact]
    public void TheInternalsThatAreUsedAreTheseOnes()
    {
        var used = References().Where(IsInternal).Select(Describe).Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.True(used.SequenceEqual(Expected),
            $"Used and not expected: {string.Join(", ", used.Except(Expected))}.\nExpected and not used, or public now: {string.Join(", ", Expected.Except(used))}.");
    }

    [Fact]
    public void OnlyInteropUsesThem()
    {
        var uses = Package.GetTypes().Where(type => type.Namespace != "Microsoft.ML.VisionModels.Interop")
            .SelectMany(type => Mentioned(type).Where(IsInternal).Select(member => $"{type.FullName} uses {Describe(member)}"));
        Assert.True(!uses.Any(), string.Join('\n', uses.Distinct()));
    }

    [Fact]
    public void TheScanSeesCalls() => // or the test above would pass by seeing nothing
        Assert.Contains(Mentioned(typeof(Interop.MLNet)).Where(IsInternal), member => member.Name == "GetEnvironment");

    /// <summary>Everything of other assemblies that the package's metadata refers to, the assembly's attributes included.</summary>
    private static IEnumerable<MemberInfo> References()
    {
        using var file = new PEReader(File.OpenRead(Package.Location));
        var metadata = file.GetMetadataReader();
        // Members of generic types need the code around them to be found.
        var members = metadata.MemberReferences.Where(handle => metadata.GetMemberReference(handle).Parent.Kind == HandleKind.TypeReference);
        return
        [
            .. metadata.TypeReferences.Select(handle => Resolve(handle)),
            .. members.Select(handle => Resolve(handle)),
            .. Package.GetTypes().SelectMany(Mentioned),
        ];

        static MemberInfo Resolve(EntityHandle handle) => Package.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle))!;
    }

    private static bool IsInternal(MemberInfo member) => member switch
    {
        Type { HasElementType: true } type => IsInternal(type.GetElementType()!),
        Type { IsGenericParameter: true } => false,
        Type type => (IsMLNet(type) && !type.IsVisible) || type.GetGenericArguments().Any(IsInternal),
        MethodBase method => IsMLNet(method.DeclaringType) && !(method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) || IsInternal(method.DeclaringType!),
        FieldInfo field => IsMLNet(field.DeclaringType) && !(field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) || IsInternal(field.DeclaringType!),
        _ => false,
    };

    private static bool IsMLNet(Type? type) => type?.Assembly.GetName().Name is "Microsoft.ML.Core" or "Microsoft.ML.Data";

    private static string Describe(MemberInfo member) => member is Type type ? Name(type) : $"{Name(member.DeclaringType!)}.{member.Name}";

    private static string Name(Type type) => type.DeclaringType is { } outer && !type.IsGenericParameter ? $"{Name(outer)}.{type.Name}" : type.Name;

    /// <summary>What a type inherits, declares, and mentions in the bodies of its methods.</summary>
    private static IEnumerable<MemberInfo> Mentioned(Type type)
    {
        var bodies = Instruction.Methods(type).ToArray();
        return
        [
            .. type.BaseType is { } ancestor ? [ancestor] : Type.EmptyTypes,
            .. type.GetInterfaces(),
            .. type.GetFields(Instruction.Declared).Select(field => field.FieldType),
            .. bodies.SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)),
            .. bodies.OfType<MethodInfo>().Select(method => method.ReturnType),
            .. bodies.SelectMany(method => method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []),
            .. type.GetCustomAttributesData().Concat(bodies.SelectMany(method => method.GetCustomAttributesData())).Select(attribute => attribute.Constructor),
            .. bodies.SelectMany(Instruction.Of).Select(instruction => instruction.Member).OfType<MemberInfo>(),
        ];
    }
}
