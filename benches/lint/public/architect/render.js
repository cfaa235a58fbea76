const inv=require('@architect/inventory'),pkg=require('@architect/package');
(async()=>{const i=await inv({cwd:process.cwd(), deployStage:'staging'}); const t=await pkg(i.inv? i : i); require('fs').writeFileSync('/tmp/corpus/t/architect.json',JSON.stringify(t,null,2));})().catch(e=>console.log(e.message));
