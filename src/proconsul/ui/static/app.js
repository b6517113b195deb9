/* proconsul's web page, built by scripts/build_page.py from src/proconsul/ui/page. Licences: NOTICE. */
var rl=Object.defineProperty;var A=(e,t)=>()=>(e&&(t=e(e=0)),t);var De=(e,t)=>{for(var n in t)rl(e,n,{get:t[n],enumerable:!0})};function nt(e,t){for(var n in t)e[n]=t[n];return e}function ao(e){e&&e.parentNode&&e.parentNode.removeChild(e)}function Tn(e,t,n){var s,o,a,i={};for(a in t)a=="\
key"?s=t[a]:a=="ref"?o=t[a]:i[a]=t[a];if(arguments.length>2&&(i.children=arguments.length>3?ss.call(arguments,2):n),typeof e=="function"&&e.defaultProps!=null)for(a in e.
defaultProps)i[a]===void 0&&(i[a]=e.defaultProps[a]);return Qn(e,i,s,o,null)}function Qn(e,t,n,s,o){var a={type:e,props:t,key:n,ref:s,__k:null,__:null,__b:0,__e:null,
__c:null,constructor:void 0,__v:o??++ma,__i:-1,__u:0};return o==null&&J.vnode!=null&&J.vnode(a),a}function ft(e){return e.children}function Ht(e,t){this.props=e,
this.context=t}function Nt(e,t){if(t==null)return e.__?Nt(e.__,e.__i+1):null;for(var n;t<e.__k.length;t++)if((n=e.__k[t])!=null&&n.__e!=null)return n.__e;return typeof e.
type=="function"?Nt(e):null}function cl(e){if(e.__P&&e.__d){var t=e.__v,n=t.__e,s=[],o=[],a=nt({},t);a.__v=t.__v+1,J.vnode&&J.vnode(a),ro(e.__P,a,t,e.__n,e.__P.
namespaceURI,32&t.__u?[n]:null,s,n??Nt(t),!!(32&t.__u),o),a.__v=t.__v,a.__.__k[a.__i]=a,xa(s,a,o),t.__e=t.__=null,a.__e!=n&&ba(a)}}function ba(e){if((e=e.__)!=null&&
e.__c!=null)return e.__e=e.__c.base=null,e.__k.some(function(t){if(t!=null&&t.__e!=null)return e.__e=e.__c.base=t.__e}),ba(e)}function $a(e){(!e.__d&&(e.__d=!0)&&
dt.push(e)&&!ns.__r++||fa!=J.debounceRendering)&&((fa=J.debounceRendering)||va)(ns)}function ns(){try{for(var e,t=1;dt.length;)dt.length>t&&dt.sort(ga),e=dt.shift(),
t=dt.length,cl(e)}finally{dt.length=ns.__r=0}}function wa(e,t,n,s,o,a,i,l,c,u,d){var $,f,p,v,y,h,k=s&&s.__k||ts,_=t.length;for(c=ul(n,t,k,c,_),$=0;$<_;$++)(p=n.
__k[$])!=null&&(f=p.__i!=-1&&k[p.__i]||es,p.__i=$,h=ro(e,p,f,o,a,i,l,c,u,d),v=p.__e,p.ref&&f.ref!=p.ref&&(f.ref&&io(f.ref,null,p),d.push(p.ref,p.__c||v,p)),y==null&&
v!=null&&(y=v),4&p.__u?(c=ka(p,c,e),f.__e&&(f.__e=null)):typeof p.type=="function"&&h!==void 0?c=h:v&&(c=v.nextSibling),p.__u&=-7);return n.__e=y,c}function ul(e,t,n,s,o){
var a,i,l,c,u,d=n.length,$=d,f=0;for(e.__k=new Array(o),a=0;a<o;a++)(i=t[a])!=null&&typeof i!="boolean"&&typeof i!="function"?(typeof i=="string"||typeof i=="nu\
mber"||typeof i=="bigint"||i.constructor==String?i=e.__k[a]=Qn(null,i,null,null,null):os(i)?i=e.__k[a]=Qn(ft,{children:i},null,null,null):i.constructor===void 0&&
i.__b>0?i=e.__k[a]=Qn(i.type,i.props,i.key,i.ref?i.ref:null,i.__v):e.__k[a]=i,c=a+f,i.__=e,i.__b=e.__b+1,l=null,(u=i.__i=dl(i,n,c,$))!=-1&&($--,(l=n[u])&&(l.__u|=
2)),l==null||l.__v==null?(u==-1&&(o>d?f--:o<d&&f++),typeof i.type!="function"&&(i.__u|=4)):u!=c&&(u==c-1?f--:u==c+1?f++:(u>c?f--:f++,i.__u|=4))):e.__k[a]=null;if($)
for(a=0;a<d;a++)(l=n[a])!=null&&(2&l.__u)==0&&(l.__e==s&&(s=Nt(l)),Na(l,l));return s}function ka(e,t,n){var s,o;if(typeof e.type=="function"){for(s=e.__k,o=0;s&&
o<s.length;o++)s[o]&&(s[o].__=e,t=ka(s[o],t,n));return t}e.__e!=t&&(t&&e.type&&!t.parentNode&&(t=Nt(e)),t=n.insertBefore(e.__e,t||null));do t=t&&t.nextSibling;while(t!=
null&&t.nodeType==8);return t}function dl(e,t,n,s){var o,a,i,l=e.key,c=e.type,u=t[n],d=u!=null&&(2&u.__u)==0;if(u===null&&l==null||d&&l==u.key&&c==u.type)return n;
if(s>(d?1:0)){for(o=n-1,a=n+1;o>=0||a<t.length;)if((u=t[i=o>=0?o--:a++])!=null&&(2&u.__u)==0&&l==u.key&&c==u.type)return i}return-1}function pa(e,t,n){t[0]=="-"?
e.setProperty(t,n??""):e[t]=n==null?"":typeof n!="number"||ll.test(t)?n:n+"px"}function Yn(e,t,n,s,o){var a,i;e:if(t=="style")if(typeof n=="string")e.style.cssText=
n;else{if(typeof s=="string"&&(e.style.cssText=s=""),s)for(t in s)n&&t in n||pa(e.style,t,"");if(n)for(t in n)s&&n[t]==s[t]||pa(e.style,t,n[t])}else if(t[0]=="o"&&
t[1]=="n")a=t!=(t=t.replace(ya,"$1")),i=t.toLowerCase(),t=i in e||t=="onFocusOut"||t=="onFocusIn"?i.slice(2):t.slice(2),e.l||(e.l={}),e.l[t+a]=n,n?s?n[Nn]=s[Nn]:
(n[Nn]=oo,e.addEventListener(t,a?no:to,a)):e.removeEventListener(t,a?no:to,a);else{if(o=="http://www.w3.org/2000/svg")t=t.replace(/xlink(H|:h)/,"h").replace(/sName$/,
"s");else if(t!="width"&&t!="height"&&t!="href"&&t!="list"&&t!="form"&&t!="tabIndex"&&t!="download"&&t!="rowSpan"&&t!="colSpan"&&t!="role"&&t!="popover"&&t in e)
try{e[t]=n??"";break e}catch{}typeof n=="function"||(n==null||n===!1&&t[4]!="-"?e.removeAttribute(t):e.setAttribute(t,t=="popover"&&n==1?"":n))}}function ha(e){
return function(t){if(this.l){var n=this.l[t.type+e];if(t[Zn]==null)t[Zn]=oo++;else if(t[Zn]<n[Nn])return;return n(J.event?J.event(t):t)}}}function ro(e,t,n,s,o,a,i,l,c,u){
var d,$,f,p,v,y,h,k,_,H,xe,ye,He,ut,et,D,le=t.type;if(t.constructor!==void 0)return null;128&n.__u&&(c=!!(32&n.__u),a=[l=t.__e=n.__e]),(d=J.__b)&&d(t);e:if(typeof le==
"function"){$=i.length;try{if(_=t.props,H=le.prototype&&le.prototype.render,xe=(d=le.contextType)&&s[d.__c],ye=d?xe?xe.props.value:d.__:s,n.__c?k=(f=t.__c=n.__c).
__=f.__E:(H?t.__c=f=new le(_,ye):(t.__c=f=new Ht(_,ye),f.constructor=le,f.render=$l),xe&&xe.sub(f),f.state||(f.state={}),f.__n=s,p=f.__d=!0,f.__h=[],f._sb=[]),H&&
f.__s==null&&(f.__s=f.state),H&&le.getDerivedStateFromProps!=null&&(f.__s==f.state&&(f.__s=nt({},f.__s)),nt(f.__s,le.getDerivedStateFromProps(_,f.__s))),v=f.props,
y=f.state,f.__v=t,p)H&&le.getDerivedStateFromProps==null&&f.componentWillMount!=null&&f.componentWillMount(),H&&f.componentDidMount!=null&&f.__h.push(f.componentDidMount);else{
if(H&&le.getDerivedStateFromProps==null&&_!==v&&f.componentWillReceiveProps!=null&&f.componentWillReceiveProps(_,ye),t.__v==n.__v||!f.__e&&f.shouldComponentUpdate!=
null&&f.shouldComponentUpdate(_,f.__s,ye)===!1){t.__v!=n.__v&&(f.props=_,f.state=f.__s,f.__d=!1),t.__e=n.__e,t.__k=n.__k,t.__k.some(function(ie){ie&&(ie.__=t)}),
ts.push.apply(f.__h,f._sb),f._sb=[],f.__h.length&&i.push(f),l=Nt(n);break e}f.componentWillUpdate!=null&&f.componentWillUpdate(_,f.__s,ye),H&&f.componentDidUpdate!=
null&&f.__h.push(function(){f.componentDidUpdate(v,y,h)})}if(f.context=ye,f.props=_,f.__P=e,f.__e=!1,He=J.__r,ut=0,H)f.state=f.__s,f.__d=!1,He&&He(t),d=f.render(
f.props,f.state,f.context),ts.push.apply(f.__h,f._sb),f._sb=[];else do f.__d=!1,He&&He(t),d=f.render(f.props,f.state,f.context),f.state=f.__s;while(f.__d&&++ut<
25);f.state=f.__s,f.getChildContext!=null&&(s=nt(nt({},s),f.getChildContext())),H&&!p&&f.getSnapshotBeforeUpdate!=null&&(h=f.getSnapshotBeforeUpdate(v,y)),et=d!=
null&&d.type===ft&&d.key==null?Sa(d.props.children):d,l=wa(e,os(et)?et:[et],t,n,s,o,a,i,l,c,u),f.base=t.__e,t.__u&=-161,f.__h.length&&i.push(f),k&&(f.__E=f.__=null)}catch(ie){
if(i.length=$,t.__v=null,c||a!=null){if(ie.then){for(t.__u|=c?160:128;l&&l.nodeType==8&&l.nextSibling;)l=l.nextSibling;a!=null&&(a[a.indexOf(l)]=null),t.__e=l}else if(a!=
null)for(D=a.length;D--;)ao(a[D])}else t.__e=n.__e;t.__k==null&&(t.__k=n.__k||[]),ie.then||_a(t),J.__e(ie,t,n)}}else a==null&&t.__v==n.__v?(t.__k=n.__k,t.__e=n.
__e):l=t.__e=fl(n.__e,t,n,s,o,a,i,c,u);return(d=J.diffed)&&d(t),128&t.__u?void 0:l}function _a(e){e&&(e.__c&&(e.__c.__e=!0),e.__k&&e.__k.some(_a))}function xa(e,t,n){
for(var s=0;s<n.length;s++)io(n[s],n[++s],n[++s]);J.__c&&J.__c(t,e),e.some(function(o){try{e=o.__h,o.__h=[],e.some(function(a){a.call(o)})}catch(a){J.__e(a,o.__v)}})}
function Sa(e){return typeof e!="object"||e==null||e.__b>0?e:os(e)?e.map(Sa):e.constructor!==void 0?null:nt({},e)}function fl(e,t,n,s,o,a,i,l,c){var u,d,$,f,p,v,
y,h=n.props||es,k=t.props,_=t.type;if(_=="svg"?o="http://www.w3.org/2000/svg":_=="math"?o="http://www.w3.org/1998/Math/MathML":o||(o="http://www.w3.org/1999/xht\
ml"),a!=null){for(u=0;u<a.length;u++)if((p=a[u])&&"setAttribute"in p==!!_&&(_?p.localName==_:p.nodeType==3)){e=p,a[u]=null;break}}if(e==null){if(_==null)return document.
createTextNode(k);e=document.createElementNS(o,_,k.is&&k),l&&(J.__m&&J.__m(t,a),l=!1),a=null}if(_==null)h===k||l&&e.data==k||(e.data=k);else{if(a=_=="textarea"&&
k.defaultValue!=null?null:a&&ss.call(e.childNodes),!l&&a!=null)for(h={},u=0;u<e.attributes.length;u++)h[(p=e.attributes[u]).name]=p.value;for(u in h)p=h[u],u=="\
dangerouslySetInnerHTML"?$=p:u=="children"||u in k||u=="value"&&"defaultValue"in k||u=="checked"&&"defaultChecked"in k||Yn(e,u,null,p,o);for(u in k)p=k[u],u=="c\
hildren"?f=p:u=="dangerouslySetInnerHTML"?d=p:u=="value"?v=p:u=="checked"?y=p:l&&typeof p!="function"||h[u]===p||Yn(e,u,p,h[u],o);if(d)l||$&&(d.__html==$.__html||
d.__html==e.innerHTML)||(e.innerHTML=d.__html),t.__k=[];else if($&&(e.innerHTML=""),wa(t.type=="template"?e.content:e,os(f)?f:[f],t,n,s,_=="foreignObject"?"http\
://www.w3.org/1999/xhtml":o,a,i,a?a[0]:n.__k&&Nt(n,0),l,c),a!=null)for(u=a.length;u--;)ao(a[u]);l&&_!="textarea"||(u="value",_=="progress"&&v==null?e.removeAttribute(
"value"):v!=null&&(v!==e[u]||_=="progress"&&!v||_=="option"&&v!=h[u])&&Yn(e,u,v,h[u],o),u="checked",y!=null&&y!=e[u]&&Yn(e,u,y,h[u],o))}return e}function io(e,t,n){
try{if(typeof e=="function"){var s=typeof e.__u=="function";s&&e.__u(),s&&t==null||(e.__u=e(t))}else e.current=t}catch(o){J.__e(o,n)}}function Na(e,t,n){var s,o;
if(J.unmount&&J.unmount(e),(s=e.ref)&&(s.current&&s.current!=e.__e||io(s,null,t)),(s=e.__c)!=null){if(s.componentWillUnmount)try{s.componentWillUnmount()}catch(a){
J.__e(a,t)}s.base=s.__P=s.__n=null}if(s=e.__k)for(o=0;o<s.length;o++)s[o]&&Na(s[o],t,n||typeof e.type!="function");n||ao(e.__e),e.__c=e.__=e.__e=void 0}function $l(e,t,n){
return this.constructor(e,n)}function lo(e,t,n){var s,o,a,i;t==document&&(t=document.documentElement),J.__&&J.__(e,t),o=(s=typeof n=="function")?null:n&&n.__k||
t.__k,a=[],i=[],ro(t,e=(!s&&n||t).__k=Tn(ft,null,[e]),o||es,es,t.namespaceURI,!s&&n?[n]:o?null:t.firstChild?ss.call(t.childNodes):null,a,!s&&n?n:o?o.__e:t.firstChild,
s,i),xa(a,e,i),e.props.children=null}var ss,J,ma,so,dt,fa,va,ga,eo,Zn,Nn,ya,oo,to,no,il,es,ts,ll,os,as=A(()=>{es={},ts=[],ll=/acit|ex(?:s|g|n|p|$)|rph|grid|ows|mnc|ntw|ine[ch]|zoo|^ord|itera/i,
os=Array.isArray;ss=ts.slice,J={__e:function(e,t,n,s){for(var o,a,i;t=t.__;)if((o=t.__c)&&!o.__)try{if((a=o.constructor)&&a.getDerivedStateFromError!=null&&(o.setState(
a.getDerivedStateFromError(e)),i=o.__d),o.componentDidCatch!=null&&(o.componentDidCatch(e,s||{}),i=o.__d),i)return o.__E=o}catch(l){e=l}throw e}},ma=0,so=function(e){
return e!=null&&e.constructor===void 0},Ht.prototype.setState=function(e,t){var n;n=this.__s!=null&&this.__s!=this.state?this.__s:this.__s=nt({},this.state),typeof e==
"function"&&(e=e(nt({},n),this.props)),e&&nt(n,e),e!=null&&this.__v&&(t&&this._sb.push(t),$a(this))},Ht.prototype.forceUpdate=function(e){this.__v&&(this.__e=!0,
e&&this.__h.push(e),$a(this))},Ht.prototype.render=ft,dt=[],va=typeof Promise=="function"?Promise.prototype.then.bind(Promise.resolve()):setTimeout,ga=function(e,t){
return e.__v.__b-t.__v.__b},ns.__r=0,eo=Math.random().toString(8),Zn="__d"+eo,Nn="__a"+eo,ya=/(PointerCapture)$|Capture$/i,oo=0,to=ha(!1),no=ha(!0),il=0});function Ca(e){var t=Ta.get(this);return t||(t=new Map,Ta.set(this,t)),(t=Da(this,t.get(e)||(t.set(e,t=(function(n){for(var s,o,a=1,i="",l="",c=[0],u=function(f){
a===1&&(f||(i=i.replace(/^\s*\n\s*|\s*\n\s*$/g,"")))?c.push(0,f,i):a===3&&(f||i)?(c.push(3,f,i),a=2):a===2&&i==="..."&&f?c.push(4,f,0):a===2&&i&&!f?c.push(5,0,!0,
i):a>=5&&((i||!f&&a===5)&&(c.push(a,0,i,o),a=6),f&&(c.push(a,f,0,o),a=6)),i=""},d=0;d<n.length;d++){d&&(a===1&&u(),u(d));for(var $=0;$<n[d].length;$++)s=n[d][$],
a===1?s==="<"?(u(),c=[c],a=3):i+=s:a===4?i==="--"&&s===">"?(a=1,i=""):i=s+i[0]:l?s===l?l="":i+=s:s==='"'||s==="'"?l=s:s===">"?(u(),a=1):a&&(s==="="?(a=5,o=i,i=""):
s==="/"&&(a<5||n[d][$+1]===">")?(u(),a===3&&(c=c[0]),a=c,(c=c[0]).push(2,0,a),a=0):s===" "||s==="	"||s===`
`||s==="\r"?(u(),a=2):i+=s),a===3&&i==="!--"&&(a=4,c=c[0])}return u(),c})(e)),t),arguments,[])).length>1?t:t[0]}var Da,Ta,Aa=A(()=>{Da=function(e,t,n,s){var o;t[0]=
0;for(var a=1;a<t.length;a++){var i=t[a++],l=t[a]?(t[0]|=i?1:2,n[t[a++]]):t[++a];i===3?s[0]=l:i===4?s[1]=Object.assign(s[1]||{},l):i===5?(s[1]=s[1]||{})[t[++a]]=
l:i===6?s[1][t[++a]]+=l+"":i?(o=e.apply(l,Da(e,l,n,["",null])),s.push(o),l[0]?t[0]|=2:(t[a-2]=0,t[a]=o)):s.push(l)}return s},Ta=new Map});function ls(e,t){de.__h&&de.__h(ce,e,is||t),is=0;var n=ce.__H||(ce.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function g(e){return is=1,pl(
qa,e)}function pl(e,t,n){var s=ls(Jt++,2);if(s.t=e,!s.__c&&(s.__=[n?n(t):qa(void 0,t),function(l){var c=s.__N?s.__N[0]:s.__[0],u=s.t(c,l);c!==u&&(s.__N=[u,s.__[1]],
s.__c.setState({}))}],s.__c=ce,!ce.__f)){var o=function(l,c,u){if(!s.__c.__H)return!0;var d=!1,$=s.__c.props!==l;if(s.__c.__H.__.some(function(p){if(p.__N){d=!0;
var v=p.__[0];p.__=p.__N,p.__N=void 0,v!==p.__[0]&&($=!0)}}),a){var f=a.call(this,l,c,u);return d?f||$:f}return!d||$};ce.__f=!0;var a=ce.shouldComponentUpdate,i=ce.
componentWillUpdate;ce.componentWillUpdate=function(l,c,u){if(this.__e){var d=a;a=void 0,o(l,c,u),a=d}i&&i.call(this,l,c,u)},ce.shouldComponentUpdate=o}return s.
__N||s.__}function T(e,t){var n=ls(Jt++,3);!de.__s&&fo(n.__H,t)&&(n.__=e,n.u=t,ce.__H.__h.push(n))}function Gt(e,t){var n=ls(Jt++,4);!de.__s&&fo(n.__H,t)&&(n.__=
e,n.u=t,ce.__h.push(n))}function ee(e){return is=5,b(function(){return{current:e}},[])}function b(e,t){var n=ls(Jt++,7);return fo(n.__H,t)&&(n.__=e(),n.__H=t,n.
__h=e),n.__}function hl(){for(var e;e=ja.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(rs),t.__h.some(uo),t.__h=[]}catch(n){t.__h=[],de.__e(n,e.__v)}}}function ml(e){
var t,n=function(){clearTimeout(s),Ua&&cancelAnimationFrame(t),setTimeout(e)},s=setTimeout(n,35);Ua&&(t=requestAnimationFrame(n))}function rs(e){var t=ce,n=e.__c;
typeof n=="function"&&(e.__c=void 0,n()),ce=t}function uo(e){var t=ce;e.__c=e.__(),ce=t}function fo(e,t){return!e||e.length!==t.length||t.some(function(n,s){return n!==
e[s]})}function qa(e,t){return typeof t=="function"?t(e):t}var Jt,ce,co,Ia,is,ja,de,Ea,Oa,Ra,Ma,La,Pa,Ua,$o=A(()=>{as();is=0,ja=[],de=J,Ea=de.__b,Oa=de.__r,Ra=de.
diffed,Ma=de.__c,La=de.unmount,Pa=de.__;de.__b=function(e){ce=null,Ea&&Ea(e)},de.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),Pa&&Pa(e,t)},de.__r=function(e){
Oa&&Oa(e),Jt=0;var t=(ce=e.__c).__H;t&&(co===ce?(t.__h=[],ce.__h=[],t.__.some(function(n){n.__N&&(n.__=n.__N),n.u=n.__N=void 0})):(t.__h.some(rs),t.__h.some(uo),
t.__h=[],Jt=0)),co=ce},de.diffed=function(e){Ra&&Ra(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&(ja.push(t)!==1&&Ia===de.requestAnimationFrame||((Ia=de.requestAnimationFrame)||
ml)(hl)),t.__H.__.some(function(n){n.u&&(n.__H=n.u,n.u=void 0)})),co=ce=null},de.__c=function(e,t){t.some(function(n){try{n.__h.some(rs),n.__h=n.__h.filter(function(s){
return!s.__||uo(s)})}catch(s){t.some(function(o){o.__h&&(o.__h=[])}),t=[],de.__e(s,n.__v)}}),Ma&&Ma(e,t)},de.unmount=function(e){La&&La(e);var t,n=e.__c;n&&n.__H&&
(n.__H.__.some(function(s){try{rs(s)}catch(o){t=o}}),n.__H=void 0,t&&de.__e(t,n.__v))};Ua=typeof requestAnimationFrame=="function"});function fs(){if(st>1)st--;else{var e,t=!1;for((function(){var o=us;for(us=void 0;o!==void 0;){var a=o.S;if(a.v===o.v)for(var i=a.t;i!==void 0;i=i.x)i.i===o.i&&
(i.i=a.i);o=o.o}})();Cn!==void 0;){var n=Cn;for(Cn=void 0,cs++;n!==void 0;){var s=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&Fa(n))try{n.c()}catch(o){t||(e=o,t=!0)}n=s}}
if(cs=0,st--,t)throw e}}function zt(e){if(st>0)return e();po=++gl,st++;try{return e()}finally{fs()}}function Xt(e){var t=ae,n=Dn;ae=void 0,Dn=void 0;try{return e()}finally{
ae=t,Dn=n}}function Ka(e){if(ae!==void 0){var t=e.n;if(t===void 0||t.t!==ae)return t={i:0,S:e,p:ae.s,n:void 0,t:ae,e:void 0,x:void 0,r:t},ae.s!==void 0&&(ae.s.n=
t),ae.s=t,e.n=t,32&ae.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=ae.s,t.n=void 0,ae.s.n=t,ae.s=t),t}}function me(e,t){
this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}function F(e,t){return new me(e,t)}function Fa(e){
for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function Wa(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&
(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function Ba(e){for(var t=e.s,n=void 0;t!==void 0;){var s=t.p;t.i===-1?(t.S.U(t),s!==void 0&&(s.n=t.n),t.n!==void 0&&
(t.n.p=s)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=s}e.s=n}function Tt(e,t){me.call(this,void 0,t),this.x=e,this.s=void 0,this.g=ds-1,this.f=4}function Ke(e,t){
return new Tt(e,t)}function Va(e){var t=e.j;if(e.j=void 0,typeof t=="function"){st++;var n=ae;ae=void 0;try{t()}catch(s){throw e.f&=-2,e.f|=8,ho(e),s}finally{ae=
n,fs()}}}function ho(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,Va(e)}function yl(e){if(ae!==this)throw new Error("Out-of-order effect");Ba(
this),ae=e,this.f&=-2;try{8&this.f&&ho(this)}finally{fs()}}function Yt(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Dn&&Dn.
push(this)}function Ie(e,t){var n=new Yt(e,t);try{n.c()}catch(o){throw n.d(),o}var s=n.d.bind(n);return s[Symbol.dispose]=s,s}var vl,Dn,ae,Cn,st,cs,gl,po,us,ds,
mo=A(()=>{vl=Symbol.for("preact-signals");ae=void 0;Cn=void 0,st=0,cs=0,gl=0,po=0,us=void 0,ds=0;me.prototype.brand=vl;me.prototype.h=function(){return!0};me.prototype.
S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n!==void 0?n.e=e:Xt(function(){var s;(s=t.W)==null||s.call(t)}))};me.prototype.U=function(e){
var t=this;if(this.t!==void 0){var n=e.e,s=e.x;n!==void 0&&(n.x=s,e.e=void 0),s!==void 0&&(s.e=n,e.x=void 0),e===this.t&&(this.t=s,s===void 0&&Xt(function(){var o;
(o=t.Z)==null||o.call(t)}))}};me.prototype.subscribe=function(e){var t=this;return Ie(function(){var n=t.value;Xt(function(){return e(n)})},{name:"sub"})};me.prototype.
valueOf=function(){return this.value};me.prototype.toString=function(){return this.value+""};me.prototype.toJSON=function(){return this.value};me.prototype.peek=
function(){var e=this;return Xt(function(){return e.value})};Object.defineProperty(me.prototype,"value",{get:function(){var e=Ka(this);return e!==void 0&&(e.i=this.
i),this.v},set:function(e){if(e!==this.v){if(cs>100)throw new Error("Cycle detected");(function(n){st!==0&&cs===0&&n.l!==po&&(n.l=po,us={S:n,v:n.v,i:n.i,o:us})})(
this),this.v=e,this.i++,ds++,st++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{fs()}}}});Tt.prototype=new me;Tt.prototype.h=function(){if(this.f&=-3,1&
this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===ds))return!0;if(this.g=ds,this.f|=1,this.i>0&&!Fa(this))return this.f&=-2,!0;var e=ae;try{Wa(this),ae=this;
var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(n){this.v=n,this.f|=16,this.i++}return ae=e,Ba(this),this.f&=-2,!0};Tt.
prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}me.prototype.S.call(this,e)};Tt.prototype.U=function(e){if(this.
t!==void 0&&(me.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}};Tt.prototype.N=function(){if(!(2&this.f)){this.
f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}};Object.defineProperty(Tt.prototype,"value",{get:function(){if(1&this.f)throw new Error("Cycle detected");var e=Ka(
this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});Yt.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;
var t=this.x();typeof t=="function"&&(this.j=t)}finally{e()}};Yt.prototype.S=function(){if(1&this.f)throw new Error("Cycle detected");this.f|=1,this.f&=-9,Va(this),
Wa(this),st++;var e=ae;return ae=this,yl.bind(this,e)};Yt.prototype.N=function(){2&this.f||(this.f|=2,this.u=Cn,Cn=this)};Yt.prototype.d=function(){this.f|=8,1&
this.f||ho(this)};Yt.prototype.dispose=function(){this.d()}});function Zt(e,t){J[e]=t.bind(null,J[e]||function(){})}function An(e){if($s){var t=$s;$s=void 0,t()}$s=e&&e.S()}function Ga(e){var t=this,n=e.data,s=za(n);s.name=
"ReactiveDom",s.value=n;var o=b(function(){for(var l=t,c=t.__v;c=c.__;)if(c.__c){c.__c.__$f|=4;break}var u=Ke(function(){var p=s.value.value;return p===0?0:p===
!0?"":p||""}),d=Ke(function(){return!Array.isArray(u.value)&&!so(u.value)}),$=Ie(function(){if(this.N=Xa,d.value){var p=u.value;l.__v&&l.__v.__e&&l.__v.__e.nodeType===
3&&(l.__v.__e.data=p)}}),f=t.__$u.d;return t.__$u.d=function(){$(),f.call(this)},[d,u]},[]),a=o[0],i=o[1];return a.value?i.peek():i.value}function wl(e,t,n,s){var o=t in
e&&e.ownerSVGElement===void 0,a=F(n);return{o:function(i,l){a.value=i,s=l},d:Ie(function(){this.N=Xa;var i=a.value.value;s[t]!==i&&(s[t]=i,o?e[t]=i:i!=null&&(i!==
!1||t[4]==="-")?e.setAttribute(t,i):e.removeAttribute(t))})}}function za(e,t){return b(function(){return F(e,t)},[])}function _l(){zt(function(){for(var e;e=Ja.
shift();)Ha.call(e)})}function Xa(){Ja.push(this)===1&&(J.requestAnimationFrame||kl)(_l)}var Ha,ps,$s,bl,Ja,kl,Ya=A(()=>{as();$o();mo();mo();bl=typeof window<"u"&&
!!window.__PREACT_SIGNALS_DEVTOOLS__,Ja=[];Ie(function(){Ha=this.N})();Ga.displayName="ReactiveTextNode";Object.defineProperties(me.prototype,{constructor:{configurable:!0,
value:Tn(ft,null).constructor},type:{configurable:!0,value:Ga},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{
configurable:!0,value:1}});Zt("__b",function(e,t){if(An(),ps=void 0,typeof t.type=="string"){var n,s=t.props;for(var o in s)if(o!=="children"){var a=s[o];a instanceof
me&&(n||(t.__np=n={}),n[o]=a,s[o]=a.peek())}}e(t)});Zt("__r",function(e,t){if(e(t),t.type!==ft){An();var n,s=t.__c;s&&(s.__$f&=-2,(n=s.__$u)===void 0&&(s.__$u=n=
(function(o,a){var i;return Ie(function(){i=this},{name:a}),i.c=o,i})((function(o){return function(){var a;bl&&((a=this.y)==null||a.call(this)),o.__$f|=1,o.setState(
{})}})(s),typeof t.type=="function"?t.type.displayName||t.type.name:""))),ps=s,An(n)}});Zt("__e",function(e,t,n,s){An(),ps=void 0,e(t,n,s)});Zt("diffed",function(e,t){
An(),ps=void 0;var n;if(typeof t.type=="string"&&(n=t.__e)){var s=t.__np,o=t.props,a=n.U;if(a)for(var i in a){var l=a[i];l===void 0||s&&i in s||(l.d(),a[i]=void 0)}
if(s){a||(a={},n.U=a);for(var c in s){var u=a[c],d=s[c];u===void 0?(u=wl(n,c,d,o),a[c]=u):u.o(d,o)}}}e(t)});Zt("unmount",function(e,t){if(typeof t.type=="string"){
var n=t.__e;if(n){var s=n.U;if(s){n.U=void 0;for(var o in s){var a=s[o];a&&a.d()}}}var i=t.__np;if(i){var l=t.props;for(var c in i)l[c]=i[c]}t.__np=void 0}else{
var u=t.__c;if(u){u.__$f|=8;var d=u.__$u;d&&(u.__$u=void 0,d.d())}}e(t)});Zt("__h",function(e,t,n,s){s<3&&(t.__$f|=2),e(t,n,s)});Ht.prototype.shouldComponentUpdate=
function(e,t){if(this.__R)return!0;var n=this.__$u,s=n&&n.s!==void 0;for(var o in t)return!0;if(this.__f||typeof this.u=="boolean"&&this.u===!0){var a=2&this.__$f;
if(!(s||a||4&this.__$f)||1&this.__$f)return!0}else if(!(s||4&this.__$f)||3&this.__$f)return!0;for(var i in e)if(i!=="__source"&&e[i]!==this.props[i])return!0;for(var l in this.
props)if(!(l in e))return!0;return!1};kl=function(e){queueMicrotask(function(){queueMicrotask(e)})}});var r,G=A(()=>{as();Aa();$o();Ya();r=Ca.bind(Tn)});function xl(){let e={ApiRoot:"../",UiRoot:"./",ReadOnly:!1,Datacenter:"",PrimaryDatacenter:"",NodeName:"",Server:!1,ACLsEnabled:null,Version:"",DashboardURLTemplates:{}},
t=globalThis.document?.querySelector('meta[name="proconsul"]')?.getAttribute("content");return t?{...e,...JSON.parse(t)}:e}function In(e){try{return globalThis[e]??
null}catch{return null}}function En(e,t){let n=In("localStorage"),s=t;try{let a=n?.getItem(hs+e);a&&(s=JSON.parse(a))}catch{}let o=F(s);return Ie(()=>{let a=JSON.
stringify(o.value);try{o.value===t?n?.removeItem(hs+e):n?.setItem(hs+e,a)}catch{}}),o}var C,_e,hs,$t,Dt,ot,Me,ms,Ct,Qt,E,fe=A(()=>{G();C=xl(),_e=C.Version!=="";
hs="proconsul.";$t=En("theme","auto"),Dt=En("compact",!1),ot=En("readOnly",!1),Me=Ke(()=>C.ReadOnly||ot.value),ms=En("valueView","auto"),Ct=En("remember",!1),Qt=
`${hs}token`,E=F(In("sessionStorage")?.getItem(Qt)??In("localStorage")?.getItem(Qt)??"");Ie(()=>{let e=In("sessionStorage"),t=In("localStorage");try{E.value?e?.
setItem(Qt,E.value):e?.removeItem(Qt),E.value&&Ct.value?t?.setItem(Qt,E.value):t?.removeItem(Qt)}catch{}});Ie(()=>{let e=globalThis.document?.documentElement;e&&
($t.value==="auto"?delete e.dataset.theme:e.dataset.theme=$t.value,e.dataset.density=Dt.value?"compact":"comfortable")})});function vs(e){try{return decodeURIComponent(e)}catch{return e}}function vo(e){let t=e.replace(/^#?\/?/,""),n=t.indexOf("?"),s=n<0?t:t.slice(0,n),[o="",a="",...i]=s.
split("/");return{dc:vs(o),view:vs(a)||"overview",rest:i.map(vs).join("/"),parts:i.map(vs),query:new URLSearchParams(n<0?"":t.slice(n+1))}}function z(e){return e.
split("/").map(encodeURIComponent).join("/")}function m(e,t="",n={},s=M.value.dc){let o=new URLSearchParams(Object.entries(n).filter(([,l])=>l!=="")).toString(),
a=Array.isArray(t)?t.map(encodeURIComponent).join("/"):z(t),i=`#/${encodeURIComponent(s)}/${e}${a===""?"":`/${a}`}`;return o?`${i}?${o}`:i}function Za(e){let[t="",
n="",...s]=e.replace(/^\/+/,"").split("/");if(!t)return"";let o=s.join("/"),a=`#/${t}`;switch(n){case"services":{let[i,l,c,u]=s;return s.length>=4&&s[1]==="inst\
ances"?`${a}/instance/${i}/${s[2]}/${s[3]}`:u&&l&&c?`${a}/instance/${i}/${l}/${c}`:i?`${a}/services/${i}`:`${a}/services`}case"nodes":return s[0]?`${a}/nodes/${s[0]}`:
`${a}/nodes`;case"kv":return o.endsWith("/edit")?`${a}/key/${o.slice(0,-5)}`:`${a}/kv${o?`/${o}`:""}`;case"intentions":return`${a}/intentions`;case"acls":{let i={
"auth-methods":"methods"}[s[0]??""]??s[0]??"tokens";return`${a}/${i}${s[1]?`/${s[1]}`:""}`}default:return n?`${a}/${n}`:`${a}/services`}}function en(e){history.
replaceState(null,"",e),gs=e,M.value=vo(e)}function L(e){globalThis.location.hash=e}function W(e,t=""){let n=Ke(()=>M.value.query.get(e)??t);return{get value(){
return n.value},set value(s){let{dc:o,view:a,rest:i,parts:l,query:c}=M.peek(),u=new URLSearchParams(c);s===t?u.delete(e):u.set(e,s);let d=m(a,l,Object.fromEntries(
u),o);en(d)}}}var go,M,X,Se,gs,Q=A(()=>{G();fe();go=()=>globalThis.location?.hash??"",M=F(vo(go())),X=Ke(()=>M.value.dc===C.Datacenter?"":M.value.dc),Se=F(""),gs=
go();globalThis.addEventListener?.("hashchange",()=>{let e=go();if(e===gs)return;let t=M.peek(),n=vo(e),s=t.view!==n.view||t.rest!==n.rest||t.dc!==n.dc;if(s&&Se.
peek()&&!globalThis.confirm(`${Se.peek()} Leave without saving?`)){history.replaceState(null,"",gs||"#/");return}gs=e,zt(()=>{s&&(Se.value=""),M.value=n})});globalThis.
addEventListener?.("beforeunload",e=>{Se.peek()&&e.preventDefault()})});function Nl(e,t){return e!=="GET"&&e!=="HEAD"&&!Sl.some(n=>n.test(t))}function be(e,t={},n=X.peek()){let s=[];n&&n!==C.Datacenter&&s.push(`dc=${encodeURIComponent(
n)}`);for(let[o,a]of Object.entries(t))a!==void 0&&s.push(a===!0?o:`${o}=${encodeURIComponent(String(a))}`);return s.length?`${e}${e.includes("?")?"&":"?"}${s.join(
"&")}`:e}function ys(e){return new URL(`${C.ApiRoot}v1/${e}`,globalThis.location.href.split("#")[0]).href}function ve(e,t,n){let s=["curl"];return e!=="GET"&&s.
push("-X",e),E.value&&s.push("-H",'"X-Consul-Token: $CONSUL_HTTP_TOKEN"'),n!==void 0&&s.push("--data-raw",tn(typeof n=="string"?n:JSON.stringify(n))),s.push(tn(
ys(t))),s.join(" ")}function tn(e){return`'${e.replaceAll("'","'\\''")}'`}async function te(e,t,{params:n,body:s,signal:o,dc:a,accept:i=[],secret:l=E.peek()}={}){
let c=be(t,n,a);if(Nl(e,t)&&Me.peek())throw new pe(403,"This page is read-only.",e,c);let u={};l&&(u["X-Consul-Token"]=l);let d=s===void 0||typeof s=="string"||
s instanceof Uint8Array||s instanceof Blob;d||(u["Content-Type"]="application/json");let $,f;try{$=await fetch(ys(c),{method:e,headers:u,signal:o,cache:"no-stor\
e",credentials:"same-origin",body:d?s:JSON.stringify(s)}),f=await $.text()}catch(p){throw p instanceof DOMException&&p.name==="AbortError"?p:new pe(0,"The agent\
 does not answer.",e,c)}if(!$.ok&&!i.includes($.status))throw new pe($.status,f.trim()||$.statusText,e,c);return{data:Dl(f),text:f,status:$.status,headers:$.headers,
index:Number($.headers.get("X-Consul-Index"))||0}}function Dl(e){try{return e===""?null:JSON.parse(e.replace(Tl,'$1"$2"'))}catch{return e}}async function ne(e,t){
return(await te("GET",e,t)).data}async function*Qa(e,t){let n={Range:"bytes=0-",...E.peek()?{"X-Consul-Token":E.peek()}:{}},s=await fetch(ys(e),{headers:n,signal:t,
cache:"no-store"});if(!s.ok||!s.body)throw new pe(s.status,(await s.text()).trim(),"GET",e);let o=s.body.getReader();for(;;){let{done:a,value:i}=await o.read();
if(a)return;yield i}}async function er(e,{params:t,signal:n,dc:s}={}){let o=be(e,t,s),a=E.peek()?{"X-Consul-Token":E.peek()}:void 0,i=await fetch(ys(o),{headers:a,
signal:n,cache:"no-store"});if(!i.ok)throw new pe(i.status,(await i.text()).trim(),"GET",o);return i.blob()}var pe,Sl,Tl,ge=A(()=>{fe();Q();pe=class extends Error{constructor(t,n,s,o){
super(n||`${s} ${o}: ${t||"no answer"}`),this.status=t,this.method=s,this.path=o}},Sl=[/^internal\/acl\/authorize$/,/^acl\/log(in|out)$/,/^acl\/oidc\//];Tl=/("Flags":\s*)(\d{16,})/gi});function Cl(e,t){let n=Math.min(3e4,500*2**Math.min(e-1,10));return n*(.75+t*.5)>3e4?3e4:n*(.75+t*.5)}function Al(e,t){return t<=0n||t<e?0n:t}async function*tr(e,t,n){
let s=0n,o=0,a=!0;for(;!n.aborted;){let i=await t.slot(n),l=t.now(),c;try{let p=s>0n&&i.blocks?{index:String(s),wait:"55s"}:{};c=await t.ask(e,p,n)}catch(p){if(n.
aborted)return;let v=p,y=(v.status??0)>=400&&(v.status??0)<500;o+=1,yield{kind:y?"refused":"stale",error:v},s=0n,a=!0,i.free(),await t.sleep(Cl(y?Math.max(o,5):
o,t.random()),n);continue}finally{i.free()}o=0;let u=Al(s,c.index),d=a||u===0n||u!==s;d&&(yield{kind:"data",data:c.data,index:c.index,headers:c.headers}),a=u===
0n&&s!==0n;let $=!d&&i.blocks&&t.now()-l<200,f=u===0n&&!a||!i.blocks||$;s=u,await t.sleep(f?5e3:30+(c.size??0)/1e6*300,n)}}var nr=A(()=>{});function Ol(){let e=yo<Il,t=e;return e&&(yo+=1),{blocks:e,free(){t&&(yo-=1),t=!1}}}function On(){for(let e of[...bo])e()}function ar(e,t){return new Promise(n=>{
let s=()=>{clearTimeout(o),bo.delete(s),t.removeEventListener("abort",s),n()},o=setTimeout(s,e);e>100&&bo.add(s),t.addEventListener("abort",s)})}async function Rl(e,t,n,s){
let o={async ask(a,i,l){let c=await te("GET",a,{params:i,signal:l,dc:n,accept:[404]});if(c.status===404&&!c.headers.has("X-Consul-Index"))throw new pe(404,c.text.
trim()||"There is nothing here.","GET",a);return{status:c.status,headers:c.headers,size:c.text.length,index:BigInt(/^\d+$/.exec(c.headers.get("X-Consul-Index")??
"")?.[0]??0),data:c.status===404?null:c.data}},sleep:ar,now:Date.now,random:Math.random,slot:async()=>Ol()};for await(let a of tr(t,o,s)){if(s.aborted)return;let i=e.
peek();if(a.kind==="data")e.value={data:a.data,error:null,at:Date.now(),state:"live"},i.state==="stale"&&On();else{let l=a.kind==="refused"?"refused":"stale",c=i.
state==="live"?Date.now():i.at||Date.now();e.value={...i,error:a.error,state:l,at:c}}}}function Ml(){At.value=!0;for(let e of nn.values())e();nn.clear();for(let e of bs.
keys())e.value={...e.peek(),state:"paused"}}function Ll(){if(At.peek()){At.value=!1;for(let[e,t]of bs)nn.set(e,t())}}function wo(e,t=X.peek()){let n=F({data:void 0,
error:null,at:0,state:"waiting"}),s=()=>{let o=new AbortController;return Rl(n,e,t,o.signal),()=>o.abort()};return bs.set(n,s),Je.value=new Map(Je.peek()).set(n,
{path:be(e,{},t),dc:t}),At.peek()||nn.set(n,s()),{live:n,stop(){nn.get(n)?.(),nn.delete(n),bs.delete(n);let o=new Map(Je.peek());o.delete(n),Je.value=o}}}function O(e){
let t=X.value,n=E.value,s=b(()=>e?wo(e,t):null,[e,t,n]);return T(()=>()=>s?.stop(),[s]),s?.live??Pl}function Y(e,t=5e3){let n=X.value,s=E.value,o=b(()=>F({data:void 0,
error:null,at:0,state:"waiting"}),[e,n,s]);return T(()=>{if(!e)return;let a=new AbortController,i=async()=>{for(;;){if(!At.peek())try{let{data:l}=await te("GET",
e,{dc:n,signal:a.signal});o.value={data:l,error:null,at:Date.now(),state:"live"}}catch(l){if(a.signal.aborted)return;let c=l instanceof pe&&l.status>=400&&l.status<
500,u=o.peek(),d=u.state==="live"?Date.now():u.at||Date.now();o.value={...u,error:l,at:d,state:c?"refused":"stale"}}if(await ar(t,a.signal),a.signal.aborted)return}};
return Je.value=new Map(Je.peek()).set(o,{path:be(e,{},n),dc:n}),i(),()=>{a.abort();let l=new Map(Je.peek());l.delete(o),Je.value=l}},[o]),o}var Il,El,Je,or,At,
yo,bo,bs,nn,sr,Pl,Ne=A(()=>{G();ge();Q();fe();nr();Il=4,El=6e4,Je=F(new Map),or=Ke(()=>{let e=[...Je.value.keys()].filter(t=>t.value.state==="stale").map(t=>t.value.
at);return e.length?Math.min(...e):0}),At=F(!1),yo=0;bo=new Set;bs=new Map,nn=new Map,sr=0;globalThis.document?.addEventListener("visibilitychange",()=>{clearTimeout(
sr),document.hidden?sr=setTimeout(Ml,El):(Ll(),On())});globalThis.addEventListener?.("online",On);Pl=F({data:void 0,error:null,at:0,state:"waiting"})});async function ql(){for(ko=!0,await Promise.resolve();sn.size;){let e=[...sn.keys()].slice(0,Ul),t=e.map(a=>({Segment:"",...sn.get(a)}));for(let a of e)sn.delete(
a);let n=E.peek(),s;try{let{data:a}=await te("POST","internal/acl/authorize",{body:t});s=e.map((i,l)=>a?.[l]?.Allow===!0),Ee.value??=!0}catch(a){let i=a instanceof
Error?a.message:"",l=/ACL support disabled/i.test(i);l&&(Ee.value=!1),s=e.map(()=>l)}if(n!==E.peek())continue;let o=new Map(ws.peek());e.forEach((a,i)=>o.set(a,
s[i]??!1)),ws.value=o}ko=!1}function at(e){if(Ee.value===!1)return!0;let t=jl(e),n=ws.value.get(t);return n===void 0&&!sn.has(t)&&(sn.set(t,e),ko||ql()),n}function re(e){
return!Me.value&&at(e)===!0}var Ul,ws,sn,ko,Ee,jl,rr,Oe=A(()=>{G();ge();fe();Q();Ul=64,ws=F(new Map),sn=new Map,ko=!1,Ee=F(C.ACLsEnabled),jl=e=>`${e.Resource}
${e.Access}
${e.Segment??""}`;rr="";Ie(()=>{let e=`${E.value}
${M.value.dc}`;e!==rr&&(rr=e,ws.value=new Map)})});function Le(e){if(!Number.isFinite(e))return"";if(Math.abs(e)<1e3)return`${Math.round(e)} ms`;let t=Math.floor(Math.abs(e)/1e3),n=[];for(let[s,o]of Kl){let a=Math.
floor(t/s);if(t-=a*s,a&&n.push(`${a} ${o}`),n.length===2||n.length===1&&!a)break}return(e<0?"-":"")+n.join(" ")}function Rn(e,t){return t-e<1e3?"now":`${Le(t-e)}\
 ago`}function ks(e){if(typeof e=="number")return e/1e6;let t={h:36e5,m:6e4,s:1e3,ms:1,us:.001,µs:.001,ns:1e-6},n=e.match(/^-?(\d+(\.\d*)?(h|ms|m|s|us|µs|ns))+$/)?
e.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g):null;if(!n)return e==="0"?0:NaN;let s=0;for(let[,o,a]of n)s+=Number(o)*(t[a??""]??NaN);return e.startsWith("-")?
-s:s}function tt(e){let t=["B","kB","MB","GB","TB"],n=0;for(;e>=1e3&&n<t.length-1;)e/=1e3,n+=1;return`${n===0||e>=100?Math.round(e):e.toFixed(1)} ${t[n]}`}function x(e,t,n=`${t}\
s`){return`${e.toLocaleString("en")} ${e===1?t:n}`}function It(e){let t=atob(e),n=new Uint8Array(t.length);for(let s=0;s<t.length;s+=1)n[s]=t.charCodeAt(s);return n}
function Ge(e){let t="";for(let n=0;n<e.length;n+=32768)t+=String.fromCharCode(...e.subarray(n,n+32768));return btoa(t)}function pt(e){try{return new TextDecoder(
"utf-8",{fatal:!0,ignoreBOM:!0}).decode(e)}catch{return null}}function on(e,t=65536){let n=[],s=e.subarray(0,t);for(let o=0;o<s.length;o+=16){let a=[...s.subarray(
o,o+16)],i=a.map((c,u)=>(u===8?" ":"")+c.toString(16).padStart(2,"0")).join(" "),l=a.map(c=>c>=32&&c<127?String.fromCharCode(c):".").join("");n.push(`${o.toString(
16).padStart(8,"0")}  ${i.padEnd(49)} |${l}|`)}return e.length>t&&n.push(`... ${e.length-t} more bytes`),n.join(`
`)}function Et(e){try{JSON.parse(e)}catch{return null}let t="",n=0,s=()=>`
${"  ".repeat(n)}`,o=e.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g)??[];for(let a=0;a<o.length;a+=1){let i=o[a],l=o[a+1];if(t.length>Fl)return null;i===
"{"||i==="["?l==="}"||l==="]"?(t+=i+l,a+=1):(n+=1,t+=i+s()):i==="}"||i==="]"?(n-=1,t+=s()+i):i===","?t+=i+s():t+=i===":"?": ":i}return t}function Pe(e){return/^[0-9a-f]{8}-/i.
test(e)?e.slice(0,8):e}function Z(e){return{maintenance:4,critical:3,warning:2,passing:1}[e]??0}var Kl,Fl,he=A(()=>{Kl=[[86400,"d"],[3600,"h"],[60,"min"],[1,"s"]];
Fl=8e6});function I({view:e,title:t,crumbs:n=[],actions:s,ready:o=!0,live:a,children:i}){return T(()=>{typeof t=="string"&&(document.title=`${t} · Consul`)},[t]),r`
    <main id="main" tabindex="-1" data-view=${e} data-ready=${String(o)}>
      <div class="page-head">
        ${n.length?r`<nav class="crumbs" aria-label="Path">${n.map(([l,c])=>r`<a href=${c}>${l}</a>`)}</nav>`:null}
        <h1>${t}</h1>
        <div class="actions">${s}</div>
      </div>
      ${a?r`<${_o} live=${a} />`:null}
      ${i}
    </main>`}function _o({live:e}){if(!e.error)return null;let{status:t,message:n}=e.error,s=t===403?"This token may not see this.":t?`The agent answered with ${t}\
.`:"The agent does not answer.",o=e.state==="stale"&&e.data!==void 0?` What is shown was true ${Rn(e.at,ze.value)}.`:"";return r`<div class="note bad" role="alert"><b>${s}</b>${o} ${n!==
s?r`<span class="reason">${n}</span>`:null}
    ${t===403?r` <a href=${m("login")}>Use another token</a>`:null}</div>`}function B({status:e,text:t=e,title:n}){return r`<span class=${`status s${Z(e)}`} title=${n}><i aria-hidden="true"></i>${t}</span>`}
function ht({passing:e,warning:t,critical:n}){return r`<span class="counts">
    ${n?r`<span class="status s3" title="critical"><i aria-hidden="true"></i>${n}<span class="sr"> critical</span></span>`:null}
    ${t?r`<span class="status s2" title="warning"><i aria-hidden="true"></i>${t}<span class="sr"> warning</span></span>`:null}
    ${e||!n&&!t?r`<span class=${`status ${e?"s1":"s0"}`} title="passing"><i aria-hidden="true"></i>${e}<span class="sr"> passing</span></span>`:null}
  </span>`}function Fe({tags:e,max:t=1/0,pick:n}){let s=e??[],o=s.slice(0,t);return r`<span class="tags">
    ${o.map(a=>n?r`<button type="button" class="tag" title=${`Show only ${a}`} onClick=${()=>n(a)}>${a}</button>`:r`<span class="tag">${a}</span>`)}
    ${s.length>o.length?r`<span class="tag more" title=${s.slice(t).join(`
`)}>+${s.length-o.length}</span>`:null}
  </span>`}function K({pairs:e}){let t=e.filter(([,n])=>n!=null&&n!=="");return r`<dl class="facts">${t.map(([n,s])=>r`<div><dt>${n}</dt><dd>${s}</dd></div>`)}</dl>`}
function w({title:e,actions:t,children:n,id:s}){return r`<section class="card" id=${s}><header><h2>${e}</h2><div class="actions">${t}</div></header>${n}</section>`}
function N({children:e}){return r`<p class="empty">${e}</p>`}function Xe({at:e}){return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>${Rn(
e,ze.value)}</time>`}function R({text:e,label:t,block:n=!1}){let[s,o]=g(!1),i=r`<button type="button" class="quiet copy" onClick=${async()=>{await Mn(e),o(!0),setTimeout(
()=>o(!1),1500)}} aria-label=${`Copy ${n?"":e}`} title="Copy">${s?"copied":t??"copy"}</button>`;return n?r`<div class="copy-block"><pre>${e}</pre>${i}</div>`:i}
async function Mn(e){if(navigator.clipboard){await navigator.clipboard.writeText(e);return}let t=document.createElement("textarea");t.value=e,document.body.append(
t),t.select(),document.execCommand("copy"),t.remove()}function ue({data:e,label:t="JSON"}){return r`<details class="raw"><summary>${t}</summary><${R} text=${JSON.
stringify(e,null,2)} block /></details>`}function S({need:e,run:t,danger:n=!1,primary:s=!1,title:o,disabled:a=!1,children:i}){return re(e)?r`<button type="button" data-change class=${n?
"danger":s?"primary":""} title=${o} disabled=${a} onClick=${t}>${i}</button>`:null}function j({need:e}){return re(e)?null:r`<span class="hint">${Me.value?"read-\
only":`needs ${e.Resource}:${e.Access}`}</span>`}function mt({choice:e,tabs:t,label:n}){return r`<div class="tabs" role="group" aria-label=${n}>${t.map(([s,o])=>r`
    <button type="button" key=${s} aria-pressed=${e.value===s} onClick=${()=>{e.value=s}}>${o}</button>`)}</div>`}var ze,$e=A(()=>{G();he();Oe();fe();Q();ze=F(Date.
now());setInterval(()=>{globalThis.document?.hidden||(ze.value=Date.now())},1e3)});function Te(e){return _s.peek()?.resolve(!1),new Promise(t=>{_s.value={...e,resolve(n){_s.value=null,t(n)}}})}function P(e,t=!1){ir+=1;let n={text:e,bad:t,id:ir};
Ot.value=[...Ot.peek().slice(-3),n],setTimeout(()=>{Ot.value=Ot.peek().filter(s=>s!==n)},t?15e3:5e3)}async function U({method:e,path:t,params:n,body:s,shown:o=s,
done:a,question:i,refused:l}){if(i&&!await Te({...i,curl:ve(e,be(t,n),o)}))return null;try{let c=await te(e,t,{params:n,body:s}),u=l?.(c);return P(u??a,u!==void 0),
On(),u===void 0?c:null}catch(c){return P(c instanceof Error?c.message:String(c),!0),null}}function Ye({title:e,close:t,children:n,wide:s=!1,class:o=""}){let a=ee(
null);return T(()=>{let i=a.current;return i?.showModal(),()=>i?.close()},[]),r`
    <dialog ref=${a} class=${`dialog ${s?"wide":""} ${o}`} aria-label=${e}
        onCancel=${i=>{i.preventDefault(),t()}}
        onClick=${i=>{i.target===a.current&&t()}}>
      <div class="dialog-inside">
        <header><h2>${e}</h2><button type="button" class="quiet" aria-label="Close" onClick=${t}>✕</button></header>
        ${n}
      </div>
    </dialog>`}function Wl({asked:e}){let[t,n]=g(""),s=!e.typed||t===e.typed;return r`
    <${Ye} title=${e.title} close=${()=>e.resolve(!1)}>
      <form onSubmit=${o=>{o.preventDefault(),s&&e.resolve(!0)}}>
        ${e.body?r`<div class="prose">${e.body}</div>`:null}
        ${e.typed?r`<label class="field"><span>Type <code>${e.typed}</code> to go on</span>
          <input value=${t} autocomplete="off" spellcheck=${!1}
            onInput=${o=>n(o.target.value)} /></label>`:null}
        ${e.curl?r`<details><summary>The request</summary><${R} text=${e.curl} block /></details>`:null}
        <div class="buttons">
          <button type="button" onClick=${()=>e.resolve(!1)}>${e.cancel??"Cancel"}</button>
          <button type="submit" disabled=${!s} class=${e.danger?"danger":"primary"}>${e.confirm??"OK"}</button>
        </div>
      </form>
    <//>`}function lr(){let e=_s.value;return r`
    ${e?r`<${Wl} key=${e.title} asked=${e} />`:null}
    <div class="words" role="status" aria-live="polite">
      ${Ot.value.map(t=>r`<div key=${t.id} class=${t.bad?"word bad":"word"}>
        <span>${t.text}</span>
        <button type="button" class="quiet" aria-label="Dismiss"
          onClick=${()=>{Ot.value=Ot.peek().filter(n=>n!==t)}}>✕</button></div>`)}
    </div>`}var _s,Ot,ir,we=A(()=>{G();ge();Ne();$e();_s=F(null),Ot=F([]),ir=0});function ur(e,t,n,s=""){let o=!1,a=new Set;for(let[i,l]of t)a.add(i),o=cr(e,i,l,n)||o;if(s)for(let i of e.keys())i.startsWith(s)&&!a.has(i)&&(o=cr(e,i,"gone",n)||
o);return o}function cr(e,t,n,s){let o=e.get(t)??[];if(o.at(-1)?.status===n)return!1;let a=o.filter((i,l)=>(o[l+1]?.at??s)>s-xs);return e.set(t,[...a,{at:s,status:n}].
slice(-Bl)),!0}function Pn(e){return So.value,xo.get(e)??[]}function Un(e){ur(xo,e,Date.now())&&(So.value+=1)}function an(e){return e.ChecksCritical?"critical":
e.ChecksWarning?"warning":"passing"}function Ss(){let e=X.value,t=`${e}
${E.value}`;if(Ln?.of===t)return Ln.handle.live;Ln?.unsubscribe(),Ln?.handle.stop();let n=wo("internal/ui/services",e),s=n.live.subscribe(({data:o,state:a})=>{if(a!==
"live"||!Array.isArray(o))return;let i=o.map(l=>[Rt(e,l.Name),an(l)]);ur(xo,i,Date.now(),Rt(e,""))&&queueMicrotask(()=>{So.value+=1})});return Ln={of:t,handle:n,
unsubscribe:s},n.live}var xs,Bl,xo,So,Rt,jn,Ln,rn=A(()=>{G();Ne();Q();fe();xs=36e5,Bl=240,xo=new Map,So=F(0);Rt=(e,t)=>`${e}/service/${t}`,jn=(e,t,n)=>`${e}/che\
ck/${t}/${n}`;Ln=null});function qn({changes:e,label:t,width:n=240}){let s=ze.value,o=s-xs,a=e.map((u,d)=>({status:u.status,start:Math.max(u.at,o),end:Math.max(e[d+1]?.at??s,o)})).filter(
u=>u.end>o),i=a[0]?.start??s,l=u=>(u-o)/xs*n,c=a.map(u=>`${u.status} for ${Le(u.end-u.start)}`).join(", then ");return r`<svg class="strip" role="img" aria-label=${`${t}\
: ${c||"not seen yet"}`} viewBox=${`0 0 ${n} 14`} width=${n} height="14" preserveAspectRatio="none">
    <rect class="t-none" x="0" y="4" width=${Math.max(0,l(i))} height="6"><title>the page was not open</title></rect>
    ${a.map(u=>r`<rect class=${`t${Z(u.status)} ${u.status==="gone"?"t-gone":""}`} x=${l(u.start)} y=${Z(u.status)>=2?0:2}
      width=${Math.max(1.5,l(u.end)-l(u.start))} height=${Z(u.status)>=2?14:10}>
      <title>${u.status} since ${new Date(u.start).toLocaleTimeString()}, for ${Le(u.end-u.start)}</title></rect>`)}
  </svg>`}function $r({servers:e}){let t=e.find(u=>u.leader),n=e.filter(u=>u!==t),[s,o,a]=[560,Math.min(170,540/Math.max(1,n.length)),24],i=n.length?172:74,l=u=>s/
2+(u-(n.length-1)/2)*o,c=`${x(e.length,"server")}, ${t?`${t.name} leads`:"nobody leads"}. ${n.map(u=>`${u.name}: ${dr(u)}`).join("; ")}`;return r`<svg class="cluster" role="img" aria-label=${c} viewBox=${`\
0 0 ${s} ${i}`}>
    ${t?n.map((u,d)=>r`<line x1=${s/2} y1=${a+26} x2=${l(d)} y2="112" class=${u.healthy?"wire":"wire broken"} stroke-width=${u.lag?1:2.5} />
      <text x=${(s/2+l(d))/2+6} y=${(a+148)/2} class="dim">${dr(u)}</text>`):null}
    ${t?r`<${fr} x=${s/2} y=${a} server=${t} width=${180} />`:r`<text x=${s/2} y="40" text-anchor="middle">no leader</text>`}
    ${n.map((u,d)=>r`<${fr} x=${l(d)} y=${120} server=${u} width=${o-12} />`)}
  </svg>`}function dr(e){return e.healthy?e.lag===null?"":e.lag===0?"level":`${x(e.lag,"entry","entries")} behind`:"unhealthy"}function fr({x:e,y:t,server:n,width:s}){
let o=Math.max(4,Math.floor(s/7.4)),a=n.name.length>o?`${n.name.slice(0,o-1)}…`:n.name;return r`<g class=${`box ${n.leader?"leads":""} ${n.voter?"":"silent"} ${n.
healthy?"":"broken"}`}>
    <rect x=${e-s/2} y=${t-18} width=${s} height="44" rx="7"><title>${n.name}</title></rect>
    <text x=${e} y=${t} text-anchor="middle">${a}</text>
    <text x=${e} y=${t+17} text-anchor="middle" class="dim">${n.leader?"leader":n.voter?"voter":"no vote"}${n.healthy?"":", unhealthy"}</text>
  </g>`}function pr({name:e,downstreams:t,upstreams:n,allowed:s}){let a=Math.max(t.length,n.length,1)*40+20,i=(d,$)=>a/2+(d-($-1)/2)*40,l=d=>({true:"allowed",false:"\
denied",null:""})[String(s(d))]??"",c=(d,$,f,p)=>d.map((v,y)=>r`
    <line x1=${f} y1=${i(y,d.length)} x2=${p} y2=${a/2} class=${s(v)===!1?"wire broken":"wire"} />
    <g class="box"><rect x=${$} y=${i(y,d.length)-15} width="170" height="30" rx="6"><title>${v.Name} ${l(v)}</title></rect>
    <text x=${$+85} y=${i(y,d.length)+4} text-anchor="middle">${v.Name.slice(0,22)}</text></g>`),u=`${e}: called by ${t.map(d=>d.Name).join(", ")||"nobody known"}\
; calls ${n.map(d=>d.Name).join(", ")||"nobody known"}`;return r`<svg role="img" aria-label=${u} viewBox=${`0 0 720 ${a}`} class="cluster">
    ${c(t,10,180,275)}${c(n,540,540,445)}
    <g class="box leads"><rect x="275" y=${a/2-18} width="170" height="36" rx="7" /><text x="360" y=${a/2+4} text-anchor="middle">${e.slice(0,22)}</text></g>
  </svg>`}var No=A(()=>{G();rn();he();$e()});var mr={};De(mr,{default:()=>hr});function hr(){let e=Ss().value,t=O("health/state/critical").value;return r`
    <${I} view="overview" title=${`Datacenter ${M.value.dc}`} ready=${e.data!==void 0||e.error!==null} live=${e}>
      <div class="cards"><${Vl} /><${Gl} rows=${e.data??[]} /></div>
      <${zl} live=${t} />
      <${Xl} rows=${e.data??[]} />
      <div class="cards"><${Yl} /><${Zl} /></div>
    <//>`}function Vl(){let e=at({Resource:"operator",Access:"read"}),t=Y(e?"operator/autopilot/health":"",5e3).value,n=Y(e&&_e?"operator/autopilot/state":"",5e3).
value.data,s=Y(e===!1?"status/leader":"",5e3).value.data;if(e===!1)return r`<${w} title="Servers"><${K} pairs=${[["Leader",s||"none"]]} /><p class="hint">The rest needs operator:read.</p><//>`;
let o=t.data??Hl(t.error);if(!o?.Servers)return r`<${w} title="Servers"><${N}>${t.error?t.error.message:"Asking."}<//><//>`;let a=Math.max(...o.Servers.map(l=>l.
LastIndex)),i=o.Servers.map(l=>({name:l.Name,leader:l.Leader,voter:l.Voter,healthy:l.Healthy,lag:l.LastIndex?a-l.LastIndex:null,contact:l.LastContact}));return r`<${w} title="Servers" actions=${r`<a href=${m(
"operations")}>Operations</a>`}>
    <${$r} servers=${i} />
    <p data-tolerance>${Jl(o,i)}</p>
    ${n?.Servers?r`<ul>${Object.values(n.Servers).map(l=>(l.Why??[]).length?r`<li><b>${l.Name}</b>: ${l.Why.join("; ")}</li>`:null)}</ul>`:null}
    ${n?.Next?r`<p class="dim">Autopilot: ${n.Next}.</p>`:null}
    <div class="scroll-x"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Behind</th><th>Last contact</th><th>Version</th></tr></thead><tbody>
      ${o.Servers.map(l=>r`<tr key=${l.ID}><td><a href=${m("nodes",[l.Name])}>${l.Name}</a>${l.Leader?r` <span class="badge">leader</span>`:l.Voter?null:r` <span class="badge">no vote</span>`}</td>
        <td><${B} status=${l.Healthy?"passing":"critical"} text=${l.Healthy?"healthy":l.SerfStatus==="alive"?"unhealthy":l.SerfStatus} /></td>
        <td>${l.LastIndex?x(a-l.LastIndex,"entry","entries"):"not known"}</td><td>${l.LastContact}</td><td>${l.Version}</td></tr>`)}</tbody></table></div>
  <//>`}function Hl(e){try{return e?JSON.parse(e.message):null}catch{return null}}function Jl(e,t){let n=t.filter(l=>l.voter),s=n.filter(l=>l.healthy).length,o=Math.
floor(n.length/2)+1,a=Math.max(0,s-o),i=`${x(n.length,"voter")}, ${s} healthy; a change needs ${o}.`;return s<o?`${i} There are too few: nothing can be changed \
until more are back.`:`${i} ${a===0?"If one fails, nothing can be changed":`${x(a,"more server")} may fail`}${n.length===1?": add servers, three tolerate the lo\
ss of one.":"."}`}function Gl({rows:e}){let t=a=>e.filter(i=>an(i)===a).length,n=a=>e.reduce((i,l)=>i+(l[a]??0),0),s=(a,i)=>r`<div><div class="big">${a.toLocaleString(
"en")}</div>${i}</div>`,o=a=>r`<a href=${m("services","",{filter:`status:${a}`})}><${B} status=${a} /></a>`;return r`<${w} title="Services"><div class="numbers">${s(
e.length,r`<a href=${m("services")}>services</a>`)}${s(n("InstanceCount"),"instances")}
      ${s(t("critical"),o("critical"))}${s(t("warning"),o("warning"))}${s(t("passing"),o("passing"))}</div>
    <h3>Checks</h3><div class="numbers">${s(n("ChecksCritical"),r`<${B} status="critical" />`)}${s(n("ChecksWarning"),r`<${B} status="warning" />`)}${s(n("Check\
sPassing"),r`<${B} status="passing" />`)}</div><//>`}function zl({live:e}){let t=e.data??[];return r`<${w} title=${t.length?`${x(t.length,"check")} critical`:"N\
o check is critical"}>
    ${e.error?r`<${N}>${e.error.message}<//>`:null}
    ${t.length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Check</th><th>Of</th><th>Node</th><th>Output</th></tr></thead><tbody>
      ${t.slice(0,15).map(n=>r`<tr key=${`${n.Node}/${n.CheckID}`}><td>${n.Name||n.CheckID}</td>
        <td>${n.ServiceID?r`<a href=${m("instance",[n.ServiceName,n.Node,n.ServiceID])}>${n.ServiceName}</a>`:"the node"}</td>
        <td><a href=${m("nodes",[n.Node])}>${n.Node}</a></td><td class="mono">${String(n.Output??"").slice(0,160)}</td></tr>`)}</tbody></table></div>`:null}
    ${t.length>15?r`<p><a href=${m("services","",{filter:"status:critical"})}>All services with critical checks</a></p>`:null}<//>`}function Xl({rows:e}){let t=X.
value,n=b(()=>e,[e]).map(s=>({name:s.Name,changes:Pn(Rt(t,s.Name))})).filter(s=>s.changes.length>1).sort((s,o)=>(o.changes.at(-1)?.at??0)-(s.changes.at(-1)?.at??
0));return r`<${w} title="The last hour"><p class="hint">As far as this page was open. The last to change first.</p>
    ${n.length?r`<div class="strips">${n.slice(0,12).map(s=>r`<a href=${m("services",[s.name])}>${s.name}</a><${qn} changes=${s.changes} label=${s.name} width=${520} />`)}</div>`:
r`<${N}>No service has changed its health.<//>`}<//>`}function Yl(){let{data:e,error:t}=O("event/list").value,n=[...e??[]].reverse().slice(0,10),s=o=>o?pt(It(o))??
"(binary)":"";return r`<${w} title="Recent events">${n.length?r`<table class="plain"><thead><tr><th>Event</th><th>Payload</th><th>For</th></tr></thead><tbody>
    ${n.map(o=>r`<tr key=${o.ID}><td>${o.Name}</td><td class="mono">${s(o.Payload).slice(0,120)}</td><td>${[o.NodeFilter,o.ServiceFilter,o.TagFilter].filter(Boolean).
join(" ")||"all"}</td></tr>`)}</tbody></table>`:r`<${N}>${t?t.message:"This agent has seen none."}<//>`}<//>`}function Zl(){let{data:e}=Y(_e?"agent/metrics/cert\
ificates":"",3e5).value;if(!e?.certificates)return null;let t=[...e.certificates].sort((s,o)=>(s.seconds_remaining??0)-(o.seconds_remaining??0)),n={CRITICAL:"cr\
itical",WARNING:"warning",INFO:"passing"};return r`<${w} title=${`Certificates of ${C.NodeName}`}>${t.length?r`<table class="plain"><thead><tr><th>Certificate</th><th>Ends</th></tr></thead><tbody>
    ${t.map(s=>r`<tr key=${s.id}><td>${s.name} <span class="dim">${s.type} ${s.subject??""}</span></td>
      <td><${B} status=${n[s.severity]??""} text=${`in ${x(s.days_remaining??0,"day")}`} title=${s.not_after} /></td></tr>`)}</tbody></table>`:r`<${N}>This agent uses none.<//>`}<//>`}
var vr=A(()=>{G();Ne();rn();fe();Q();Oe();he();$e();No()});function Ns(e){let t=[];for(let[,n,s,o,a]of e.matchAll(/(-?)(?:([\w.-]+):)?(?:"([^"]*)"?|(\S+))/g)){let i=(o??a??"").toLowerCase();i&&t.push({field:(s??"").toLowerCase(),
text:i,not:n==="-"})}return t}function Ts(e,t){let n=e.map(({field:s,text:o,not:a})=>{let i=Object.hasOwn(t,s)?t[s]:void 0,l=i?o:`${s}:${o}`,c=i??t[""];return u=>{
let d=c?.(u)??"";return(Array.isArray(d)?d.some(f=>f.toLowerCase().includes(l)):d.toLowerCase().includes(l))!==a}});return s=>n.every(o=>o(s))}function gr(e,t){
let n=/\s/.test(t)?t.replace(/^([\w.-]+:)?(.*)$/s,'$1"$2"'):t,s=e.match(/-?(?:[\w.-]+:)?(?:"[^"]*"?|\S+)/g)??[];return s.includes(n)?s.filter(o=>o!==n).join(" "):
[...s,n].join(" ")}function To(e,t,n=4){let s=t.indexOf(e);if(s===0)return t.length===e.length?0:1;if(s>0){for(let a=s;a>0;a=t.indexOf(e,a+1))if(!/[\p{L}\p{N}]/u.
test(t[a-1]??""))return 2;return 3}if(n<4)return-1;let o=0;for(let a of e)if(a!==" "&&(o=t.indexOf(a,o)+1,o===0))return-1;return 4}function Kn(e,t,n){let s=e.trim().
toLowerCase();if(!s)return t.slice(0,n);let o=[];for(let a of t){let i=o.length===n?o[n-1]?.worth??0:1/0,l=To(s,a.low,Math.floor(i/1e5)),c=l*1e5+a.low.length;if(l<
0||c>=i)continue;let u=o.length;for(;u>0&&c<(o[u-1]?.worth??0);)u-=1;o.splice(u,0,{item:a,worth:c}),o.length>n&&o.pop()}return o.map(({item:a})=>a)}var Ds,ln=A(
()=>{Ds=new Intl.Collator("en",{numeric:!0,sensitivity:"base"}).compare});function se(e){let t=b(()=>W("filter"),[]),n=b(()=>W("sort",e.order??""),[e.order]),s=ee(!1),o=ee(new Map),a=Ns(t.value),i=b(()=>nc(e.rows,e,n.value),[e.rows,n.
value]),l=b(()=>a.length?i.filter(Ts(a,e.fields)):[...i],[i,t.value]),c=`${t.value}
${n.value}`,u=ee(c);if(s.current&&u.current===c){let $=o.current,f=p=>$.get(e.rowKey(p))??1/0;l.sort((p,v)=>{let[y,h]=[f(p),f(v)];return y===h?0:y-h})}else u.current=
c,o.current=new Map(l.map(($,f)=>[e.rowKey($),f]));let d=sc(e);return r`
    <div class="list-tools">
      <input type="search" class="filter" value=${t.value} placeholder="Filter" aria-label=${`Filter ${e.label}`} title=${tc(e)}
        data-filter onInput=${$=>{t.value=$.target.value}}
        onKeyDown=${$=>{$.key==="Escape"&&(t.value="")}} />
      ${(e.quick??[]).map(([$,f])=>r`<button type="button" class="chip" aria-pressed=${t.value.trim()===$}
        onClick=${()=>{t.value=t.value.trim()===$?"":$}}>${f}</button>`)}
      <span class="count" aria-live="polite">${l.length===e.rows.length?x(l.length,"row"):`${l.length.toLocaleString("en")} of ${x(e.rows.length,"row")}`}</span>
      <button type="button" class="quiet density" aria-pressed=${Dt.value} title="Dense rows"
        onClick=${()=>{Dt.value=!Dt.value}}>${Dt.value?"Comfortable":"Compact"}</button>
      ${e.tools}
    </div>
    ${e.rows.length===0&&e.empty?r`<p class="empty">${e.empty}</p>`:r`
      <${oc} list=${e} rows=${l} order=${n} marks=${d} onHover=${$=>{s.current=$}} />`}`}function tc(e){let t=Object.keys(e.fields).filter(Boolean);return`Words\
 that must all occur${t.length?`; ${t.map(n=>`${n}:`).join(" ")} for one column`:""}; a minus before what must not`}function nc(e,t,n){let s=n.startsWith("-"),o=t.
columns.find(i=>i.id===n.replace(/^-/,""))?.by;if(!o)return[...e];let a=e.map(i=>[o(i),i]);return a.sort(([i],[l])=>typeof i=="number"&&typeof l=="number"?i-l:Ds(
String(i),String(l))),s&&a.reverse(),a.map(([,i])=>i)}function sc({rows:e,rowKey:t,stamp:n}){let[s,o]=g(new Set),a=ee(null);return T(()=>{if(!n)return;let i=a.current;
if(a.current=new Map(e.map(u=>[t(u),n(u)])),!i?.size)return;let l=new Set([...a.current].filter(([u,d])=>i.get(u)!==d).map(([u])=>u));if(!l.size)return;o(l);let c=setTimeout(
()=>o(new Set),Ql);return()=>clearTimeout(c)},[e]),s}function oc({list:e,rows:t,order:n,marks:s,onHover:o}){let{columns:a,rowKey:i,label:l,picked:c,onPick:u}=e,
d=Dt.value?26:38,$=ee(null),[f,p]=g({top:0,room:900,rushing:!1}),v=ee(0);Gt(()=>{let D=$.current;if(!D)return;let le=D.scrollTop,ie=0,xn=()=>{v.current=0;let[Qs,
ua]=[D.scrollTop,D.clientHeight||900],da=Math.abs(Qs-le)>ua*.75;le=Qs,clearTimeout(ie),da&&(ie=setTimeout(xn,ec)),p({top:Qs,room:ua,rushing:da})},Sn=()=>{v.current||=
requestAnimationFrame(xn)};D.addEventListener("scroll",Sn,{passive:!0});let ca=new ResizeObserver(Sn);return ca.observe(D),()=>{D.removeEventListener("scroll",Sn),
ca.disconnect(),clearTimeout(ie),cancelAnimationFrame(v.current)}},[]);let y=Math.max(0,Math.min(Math.floor(f.top/d)-yr,t.length-1)),h=Math.min(t.length,Math.ceil(
(f.top+f.room)/d)+yr),k=t.slice(y,h),_=ac(k.map(i),$.current),H=a.map(D=>D.width??"1fr").join(" "),xe=a.filter(D=>!D.wide).map(D=>D.width??"1fr").join(" "),ye=u?
"2rem ":"";Gt(()=>{$.current?.style.setProperty("--tracks",ye+H),$.current?.style.setProperty("--tracks-narrow",ye+xe),$.current?.style.setProperty("--row",`${d}\
px`)},[H,xe,d,ye]);let He=D=>{n.value=n.value===D.id?`-${D.id}`:D.id},ut=D=>{let le=new Set(c);le.delete(D)||le.add(D),u?.(le)},et=u&&t.length>0&&t.every(D=>c?.
has(i(D)));return r`
    <div class=${`list ${t.length<=12?"short":""}`} ref=${$} role="table" aria-label=${l} aria-rowcount=${t.length+1} tabindex="0" data-list
        onPointerEnter=${()=>o(!0)} onPointerLeave=${()=>o(!1)} onKeyDown=${D=>lc(D,d)}>
      <div role="rowgroup" class="list-head"><div role="row" class="row head" aria-rowindex="1">
        ${u?r`<span role="columnheader"><input type="checkbox" aria-label="Choose all" checked=${et}
          onChange=${()=>u(et?new Set:new Set(t.map(i)))} /></span>`:null}
        ${a.map(D=>r`
          <span role="columnheader" class=${D.wide?"wide":""} aria-sort=${br(n.value,D.id)}>
            ${D.by?r`<button type="button" class="quiet" onClick=${()=>He(D)}>${D.title}<i aria-hidden="true">${rc[br(n.value,D.id)??"none"]}</i></button>`:D.title}
          </span>`)}
      </div></div>
      <div role="rowgroup" class="list-rows" style=${{height:`${t.length*d}px`}}>
        ${k.map((D,le)=>{let ie=i(D);return r`
            <div role="row" key=${_.get(ie)} class=${`row ${s.has(ie)?"changed":""}`} data-row=${ie} aria-rowindex=${y+le+2}
                style=${{transform:`translateY(${(y+le)*d}px)`}} onClick=${ic}>
              ${u?r`<span role="cell"><input type="checkbox" aria-label=${`Choose ${ie}`} checked=${c?.has(ie)} onChange=${()=>ut(ie)} /></span>`:null}
              ${a.map((xn,Sn)=>r`<span role="cell" class=${xn.wide?"wide":""}>${f.rushing&&Sn?null:xn.cell(D)}</span>`)}
            </div>`})}
      </div>
    </div>`}function ac(e,t){let n=ee(new Map),s=ee(0),o=new Set(e),a=document.activeElement,i=t?.contains(a)?a?.closest("[data-row]")?.getAttribute("data-row"):
null,l=[...n.current].filter(([c])=>!o.has(c)&&c!==i).map(([,c])=>c).reverse();return n.current=new Map(e.map(c=>[c,n.current.get(c)??l.pop()??(s.current+=1)])),
n.current}function br(e,t){return e===t?"ascending":e===`-${t}`?"descending":void 0}function ic(e){let t=e.target;if(t.closest("a, button, input, label, details")||
globalThis.getSelection()?.toString())return;let n=t.closest(".row")?.querySelector("a")?.getAttribute("href");n&&(globalThis.location.hash=n)}function lc(e,t){
if(e.target.matches("input:not([type=checkbox])")||e.ctrlKey||e.metaKey||e.altKey)return;let s={ArrowDown:1,j:1,ArrowUp:-1,k:-1}[e.key];if(!s)return;let o=e.currentTarget,
a=[...o.querySelectorAll(".list-rows .row")],i=a.findIndex(f=>f.contains(document.activeElement)),l=a.findIndex(f=>f.getBoundingClientRect().top>=o.getBoundingClientRect().
top+t-1),c=a[i<0?Math.max(0,l):i+s];if(!c)return;e.preventDefault(),c.querySelector("a, button")?.focus({preventScroll:!0});let[d,$]=[c.getBoundingClientRect(),
o.getBoundingClientRect()];d.top<$.top+t?o.scrollTop-=$.top+t-d.top:d.bottom>$.bottom&&(o.scrollTop+=d.bottom-$.bottom)}var yr,Ql,ec,rc,We=A(()=>{G();ln();Q();fe();
he();yr=8,Ql=2e3,ec=100;rc={ascending:" ↑",descending:" ↓",none:""}});function Be(e){return Array.isArray(e)?e.map(Be):e===null||typeof e!="object"?e:Object.fromEntries(Object.entries(e).map(([t,n])=>[t,cc.test(t)&&!uc.test(t)&&n?
As:Be(n)]))}function Is(e){return JSON.stringify(e)!==JSON.stringify(Be(e))}function Cs(e,t){if(e===As)return t;if(e===null||typeof e!="object")return e;let n=t!==
null&&typeof t=="object"?t:{};return Array.isArray(e)?e.map((s,o)=>Cs(s,n[o])):Object.fromEntries(Object.entries(e).map(([s,o])=>[s,Cs(o,n[s])]))}function Do(e,t=""){
if(e!==null&&typeof e=="object"){let n=Object.entries(e);return n.length===0?[{name:t,value:Array.isArray(e)?"[]":"{}"}]:n.flatMap(([s,o])=>Do(o,Array.isArray(e)?
`${t}[${s}]`:t?`${t}.${s}`:s))}return[{name:t,value:typeof e=="string"?e:JSON.stringify(e)}]}function wr(e,t,n){let s=Date.parse(String(t?.Timestamp??"").replace(
" +0000 UTC","Z").replace(" ","T"))||n,o=[["gauge",t?.Gauges,"Value"],["counter",t?.Counters,"Count"],["sample",t?.Samples,"Mean"]];for(let[a,i,l]of o)for(let c of i??
[]){let u=Object.entries(c.Labels??{}).map(([v,y])=>`${v}=${y}`).join(" "),d=u?`${c.Name} ${u}`:c.Name,$=`${a} ${d}`,f=e.get($)??{name:d,kind:a,times:[],values:[],
last:{}};e.set($,f);let p=Number(c[l])||0;f.times.at(-1)===s?f.values[f.values.length-1]=p:(f.times.push(s),f.values.push(p)),f.times.length>dc&&(f.times.shift(),
f.values.shift()),f.last=Object.fromEntries(Object.entries(c).filter(([,v])=>typeof v=="number"))}}function kr(e,t,n){let s=Math.min(...e),o=Math.max(...e)-s,a=e.
length>1?t/(e.length-1):0,i=l=>o?n-1-(l-s)/o*(n-2):n/2;return e.map((l,c)=>`${(c*a).toFixed(1)},${i(l).toFixed(1)}`).join(" ")}function Fn(e){let t=Math.abs(e);
return t>=1e9?`${(e/1e9).toFixed(2)} G`:t>=1e6?`${(e/1e6).toFixed(2)} M`:t>=1e4?`${(e/1e3).toFixed(1)} k`:Number.isInteger(e)?String(e):e.toFixed(t<1?4:2)}function _r(e,t){
let n=/\[(TRACE|DEBUG|INFO|WARN|ERROR|ERR)\]/.exec(e);return n?n[1]==="ERR"?"error":n[1].toLowerCase():t}function xr(e){let t=e.split(/\r?\n/);return[t.slice(0,
-1),t.at(-1)??""]}function vt(e){let t=Date.parse(e.ExpirationTime??"");return t>0?t:0}function ke(e,t){return Object.fromEntries(Object.entries(e??{}).filter(([
n])=>!t.includes(n)))}function Sr(e){try{let t=JSON.parse(e);return t!==null&&typeof t=="object"&&!Array.isArray(t)?{data:t,problem:""}:{data:null,problem:"This\
 is not an object: it has to begin with { and end with }."}}catch(t){return{data:null,problem:`This is not JSON: ${t instanceof Error?t.message:t}`}}}function Es(e){
let t=e?.DebugConfig??{};return{domain:(t.DNSDomain||"consul.").replace(/\.$/,""),port:Number(/:(\d+)$/.exec(String(t.DNSAddrs?.[0]??""))?.[1]??t.DNSPort??8600)}}
var cc,uc,As,dc,Ze=A(()=>{cc=/secret|password|^token$|jwt$|privatekey|pemkey|bearer/i,uc=/^(JWTSupportedAlgs|BoundAudiences|MaxTokenTTL)$/,As="(hidden)";dc=180});var Nr={};De(Nr,{Check:()=>Wn,Instance:()=>yc,Service:()=>Ao,addressOf:()=>gt,worst:()=>Mt});function Mt(e){return(e.Checks??[]).some(t=>/^_(node|service)_maintenance/.
test(t.CheckID))?"maintenance":(e.Checks??[]).reduce((t,n)=>Z(n.Status)>Z(t)?n.Status:t,"passing")}function gt(e){let t=e.Service.Address||e.Node.Address;return e.
Service.Port?`${t.includes(":")?`[${t}]`:t}:${e.Service.Port}`:t}function Ao({name:e}){let t=O(`health/service/${z(e)}`).value,n=b(()=>W("tab","instances"),[]),
s=b(()=>t.data??[],[t.data]);return T(()=>{let o=s.map(Mt).reduce((a,i)=>Z(i)>Z(a)?i:a,"passing");t.data&&Un([[Rt(X.value,e),s.length?o:"gone"]])},[t.data]),r`
    <${I} view="service" title=${e} crumbs=${[["Services",m("services")]]} ready=${t.data!==void 0||t.error!==null} live=${t}
        actions=${r`<${hc} name=${e} />`}>
      <div class="dim">Last hour <${qn} changes=${Pn(Rt(X.value,e))} label="Health in the last hour" width=${480} /></div>
      <${mt} choice=${n} label="What of the service" tabs=${[["instances",`Instances (${s.length})`],["checks","Checks"],["topology","Topology"],["ask","How to \
ask"],["json","JSON"]]} />
      ${n.value==="instances"?r`
        <${se} label=${`instances of ${e}`} rows=${s} rowKey=${fc} columns=${pc} fields=${$c} order="address"
          stamp=${o=>`${Mt(o)} ${gt(o)} ${o.Service.Tags}`}
          quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
          empty="No instance of this service is registered, or this token may see none." />`:null}
      ${n.value==="checks"?r`<${mc} entries=${s} />`:null}
      ${n.value==="topology"?r`<${vc} name=${e} entries=${s} />`:null}
      ${n.value==="ask"?r`<${gc} name=${e} entries=${s} />`:null}
      ${n.value==="json"?r`<${R} text=${JSON.stringify(t.data,null,2)} block />`:null}
    <//>`}function hc({name:e}){let t={"Service.Name":e,"Service.Namespace":"default","Service.Partition":"default",Datacenter:M.value.dc},n=(C.DashboardURLTemplates?.
service??"").replace(/\{\{\s*([\w.]+)\s*\}\}/g,(s,o)=>encodeURIComponent(t[o]??""));return/^https?:\/\//.test(n)?r`<a class="button" href=${n} target="_blank" rel="noopener noreferrer">Dashboard</a>`:
null}function mc({entries:e}){let n=[...new Map(e.flatMap(o=>(o.Checks??[]).map(a=>[`${a.Node}/${a.CheckID}`,a]))).values()].sort((o,a)=>Z(a.Status)-Z(o.Status)),
s=n.filter(o=>o.Status!=="passing");return r`<${w} title=${s.length?"Not passing":"All checks pass"}>
    ${(s.length?s:n).slice(0,200).map(o=>r`<${Wn} key=${`${o.Node}/${o.CheckID}`} check=${o} where />`)}
    ${n.length===0?r`<${N}>There are no checks.<//>`:null}<//>`}function Wn({check:e,where:t=!1}){let n=e.Definition??{},s=jn(X.value,e.Node,e.CheckID);return r`<section class=${`\
check c${Z(e.Status)}`} data-check=${e.CheckID}>
    <header><h3>${e.Name||e.CheckID}</h3><${B} status=${e.Status} />
      ${t?r`<a href=${m("nodes",[e.Node])}>${e.Node}</a>`:null}
      <${qn} changes=${Pn(s)} label=${`${e.Name||e.CheckID} in the last hour`} /></header>
    <${K} pairs=${[["Id",e.CheckID],["Of",e.ServiceID||"the node"],["Type",e.Type],["Notes",e.Notes],["Every",n.Interval],["Time-out",n.Timeout],["Asks",n.HTTP||
n.TCP||n.GRPC],["Deregisters after",n.DeregisterCriticalServiceAfter],["Changed at index",e.ModifyIndex]]} />
    ${e.Output?r`<pre class="output" tabindex="0" aria-label="Output">${e.Output}</pre>`:r`<p class="hint">No output.</p>`}
  </section>`}function vc({name:e,entries:t}){let n=t[0]?.Service.Kind??"",s=O(`internal/ui/service-topology/${z(e)}?kind=${encodeURIComponent(n)}`).value,o=s.data;
if(!o){let l=s.error?.status===404||s.error?.status===400?"This agent does not know the topology of services.":s.error?s.error.message:"Asking.";return r`<${w} title="Topology"><${N}>${l}<//><//>`}
let a=l=>l.Intention?.Allowed??null,i=(l,c)=>r`<${w} title=${c}>
    ${l.length?r`<ul>${l.map(u=>r`<li><a href=${m("services",[u.Name])}>${u.Name}</a>
      ${a(u)===null?null:r` <span class="badge">${a(u)?"allowed":"denied"}</span>`}
      <${ht} passing=${u.ChecksPassing??0} warning=${u.ChecksWarning??0} critical=${u.ChecksCritical??0} /></li>`)}</ul>`:r`<${N}>None is known.<//>`}<//>`;return r`<${w} title="Topology"><${pr} name=${e} downstreams=${o.
Downstreams??[]} upstreams=${o.Upstreams??[]} allowed=${a} /><//>
    <div class="cards">${i(o.Downstreams??[],"Called by")}${i(o.Upstreams??[],"Calls")}</div>`}function gc({name:e,entries:t}){let n=Y("agent/self",6e5).value.data,
{domain:s,port:o}=Es(n),a=X.value?`${X.value}.`:"",i=location.hostname||"127.0.0.1",l=[...new Set(t.flatMap(d=>d.Service.Tags??[]))].filter(d=>/^[\w-]+$/.test(d)).
slice(0,5),c=[`${e}.service.${a}${s}`,...l.map(d=>`${d}.${e}.service.${a}${s}`)],u=[`health/service/${z(e)}?passing`,`catalog/service/${z(e)}`];return r`<${w} title="DNS">${c.
map(d=>r`<${R} text=${`dig @${i} -p ${o} ${d} SRV`} block />`)}<//>
    <${w} title="HTTP">${u.map(d=>r`<${R} text=${ve("GET",be(d))} block />`)}<//>`}function yc({parts:e}){let[t="",n="",s=""]=e,o=O(`health/service/${z(t)}`).value,
a=(o.data??[]).find(l=>l.Node.Node===n&&l.Service.ID===s);T(()=>{a&&Un((a.Checks??[]).map(l=>[jn(X.value,l.Node,l.CheckID),l.Status]))},[o.data]);let i=o.data!==
void 0||o.error!==null;return r`
    <${I} view="instance" title=${s||t} ready=${i} live=${o} crumbs=${[["Services",m("services")],[t,m("services",[t])]]}
        actions=${a?r`<${kc} entry=${a} />`:null}>
      ${i&&!a?r`<div class="note warn">There is no such instance (any more). <a href=${m("services",[t])}>All instances of ${t}</a></div>`:null}
      ${a?r`<${bc} entry=${a} />`:null}
    <//>`}function bc({entry:e}){let{Service:t,Node:n}=e,s=t.Proxy??{},o=Object.entries(t.TaggedAddresses??{}).map(([a,i])=>`${a}: ${i.Address}:${i.Port}`);return r`<div class="cards">
    <${w} title="Instance"><${K} pairs=${[["Status",r`<${B} status=${Mt(e)} />`],["Address",r`${gt(e)} <${R} text=${gt(e)} />`],["Node",r`<a href=${m("nodes",[n.
Node])}>${n.Node}</a> ${n.Address}`],["Kind",t.Kind],["Tags",t.Tags?.length?r`<${Fe} tags=${t.Tags} />`:""],["Weights",t.Weights?`passing ${t.Weights.Passing}, \
warning ${t.Weights.Warning}`:""],["Other addresses",o.join(", ")],["Tag override",t.EnableTagOverride?"others may change the tags":""],["Created, changed",`at \
index ${t.CreateIndex}, ${t.ModifyIndex}`]]} /><//>
    <${wc} entry=${e} />
    ${Object.keys(t.Meta??{}).length?r`<${w} title="Meta"><${K} pairs=${Object.entries(t.Meta)} /><//>`:null}
    ${s.DestinationServiceName||s.Upstreams?.length||s.Expose?.Paths?.length?r`<${w} title="Proxy"><${K} pairs=${[["Stands for",s.DestinationServiceName?r`<a href=${m(
"services",[s.DestinationServiceName])}>${s.DestinationServiceName}</a> ${s.DestinationServiceID??""}`:""],["Mode",s.Mode],...(s.Upstreams??[]).map(a=>[a.DestinationName,
`${a.DestinationType??"service"} on ${a.LocalBindAddress||"127.0.0.1"}:${a.LocalBindPort}${a.Datacenter?` in ${a.Datacenter}`:""}`]),...(s.Expose?.Paths??[]).map(
a=>[`Exposes ${a.Path}`,`port ${a.ListenerPort} to ${a.LocalPathPort}, ${a.Protocol}`])]} /><//>`:null}
  </div>
  <${w} title="Checks">${(e.Checks??[]).length?[...e.Checks].sort((a,i)=>Z(i.Status)-Z(a.Status)).map(a=>r`<${Wn} key=${a.CheckID} check=${a} />`):r`<${N}>It has no checks, so it counts as passing.<//>`}<//>
  <${ue} data=${e} />`}function wc({entry:e}){let t=e.Node.Node===C.NodeName&&!X.value,n=(e.Checks??[]).some(l=>l.CheckID==="serfHealth"),s=Y(t&&_e?"agent/sync":
"",5e3).value.data,o=s?.Services?.[e.Service.ID],a=o?o.InSync?"the catalog has what the agent has":`not in sync: ${o.Why||o.LastError||"waiting"}${o.NextAttempt?
`, next attempt ${o.NextAttempt}`:""}`:"",i=t?s&&!o?"The catalog only: this agent does not know it and will remove it.":"This agent.":n?`The agent of ${e.Node.Node}\
, which keeps it as it is there.`:"The catalog: it was registered from outside, no agent keeps it.";return r`<${w} title="Owner"><${K} pairs=${[["Kept by",i],["\
Sync",a],["Source",e.Service.Meta?.["external-source"]]]} /><//>`}function kc({entry:e}){let{Service:t,Node:n}=e,s=n.Node===C.NodeName&&!X.value,o={Resource:"se\
rvice",Access:"write",Segment:t.Service},a=(e.Checks??[]).some(u=>u.CheckID===`_service_maintenance:${t.ID}`),i=(e.Checks??[]).some(u=>u.CheckID==="serfHealth"),
l=()=>U({method:"PUT",path:`agent/service/maintenance/${z(t.ID)}`,params:{enable:String(!a),reason:a?void 0:"Set on the web page"},done:a?`${t.ID} answers again\
.`:`${t.ID} is in maintenance.`,question:{title:a?`End maintenance of ${t.ID}`:`Take ${t.ID} out of service`,confirm:a?"End maintenance":"Start maintenance",body:a?
"Its own checks count again.":"A critical check is added: DNS and queries for passing instances leave it out until maintenance ends. The program goes on running\
."}}),c=()=>U(s?{method:"PUT",path:`agent/service/deregister/${z(t.ID)}`,done:`${t.ID} is deregistered.`,question:{title:`Deregister ${t.ID}`,danger:!0,confirm:"\
Deregister",typed:t.ID,body:"This agent forgets the service and its checks and takes them out of the catalog. If it comes from a file, it is back at the next st\
art or reload."}}:{method:"PUT",path:"catalog/deregister",body:{Node:n.Node,ServiceID:t.ID,Datacenter:M.value.dc},done:`${t.ID} on ${n.Node} is deregistered.`,question:{
title:`Deregister ${t.ID} on ${n.Node}`,danger:!0,confirm:"Deregister",typed:t.ID,body:i?"It is taken out of the catalog, but the agent of that node keeps it an\
d will register it again within a minute or two. Deregister it there.":"It is taken out of the catalog. No agent keeps it."}});return r`<${j} need=${o} />
    ${s?r`<${S} need=${o} run=${l}>${a?"End maintenance":"Maintenance"}<//>`:null}
    <${S} need=${o} run=${c} danger>Deregister<//>`}var fc,Co,$c,pc,Os=A(()=>{G();Ne();ge();Q();fe();rn();he();Ze();$e();we();We();No();fc=e=>`${e.Node.Node}/${e.
Service.ID}`,Co=(e,t)=>(e.Checks??[]).filter(n=>n.Status===t).length,$c={"":e=>[gt(e),e.Node.Node,e.Service.ID,...e.Service.Tags??[]],status:Mt,node:e=>e.Node.Node,
tag:e=>e.Service.Tags??[],id:e=>e.Service.ID,address:gt,meta:e=>Object.entries(e.Service.Meta??{}).map(([t,n])=>`${t}=${n}`),output:e=>(e.Checks??[]).map(t=>t.Output??
"")},pc=[{id:"address",title:"Address",width:"minmax(8.5rem, 1.2fr)",by:gt,cell:e=>r`<a href=${m("instance",[e.Service.Service,e.Node.Node,e.Service.ID])}>${gt(
e)}</a>`},{id:"status",title:"Status",width:"7.5rem",by:e=>-Z(Mt(e)),cell:e=>r`<${B} status=${Mt(e)} />`},{id:"checks",title:"Checks",width:"7rem",wide:!0,cell:e=>r`<${ht} passing=${Co(
e,"passing")} warning=${Co(e,"warning")} critical=${Co(e,"critical")} />`},{id:"node",title:"Node",width:"minmax(6rem, 1fr)",wide:!0,by:e=>e.Node.Node,cell:e=>r`<a href=${m(
"nodes",[e.Node.Node])}>${e.Node.Node}</a>`},{id:"id",title:"Id",width:"minmax(6rem, 1fr)",wide:!0,by:e=>e.Service.ID,cell:e=>e.Service.ID},{id:"tags",title:"Ta\
gs",width:"minmax(5rem, 1.5fr)",wide:!0,cell:e=>r`<${Fe} tags=${e.Service.Tags} max=${4} />`}]});var Dr={};De(Dr,{default:()=>Tr});function Tr({parts:e}){return e[0]?r`<${Ao} name=${e.join("/")} />`:r`<${Sc} />`}function _c(e){return r`${e.Kind||""}${(e.ProxyFor??
[]).map(t=>r` <span class="badge">for ${t}</span>`)}
    ${e.ConnectedWithProxy?r` <span class="badge" title="Has a proxy of the mesh">proxied</span>`:null}
    ${e.ConnectedWithGateway?r` <span class="badge" title="Behind a gateway">gateway</span>`:null}
    ${(e.ExternalSources??[]).map(t=>r` <span class="badge" title="Registered from outside">${t}</span>`)}`}function Sc(){let e=Ss().value,t=b(()=>W("filter"),[]),
n=b(()=>e.data??[],[e.data]),s=a=>{t.value=gr(t.value,`tag:${a}`)},o=[{id:"name",title:"Service",width:"minmax(9rem, 2fr)",by:a=>a.Name,cell:a=>r`<a href=${m("s\
ervices",[a.Name])}>${a.Name}</a>`},{id:"health",title:"Checks",width:"minmax(6.5rem, 1fr)",by:a=>-Z(an(a)),cell:a=>r`<${ht} passing=${a.ChecksPassing} warning=${a.
ChecksWarning} critical=${a.ChecksCritical} />`},{id:"instances",title:"Instances",width:"5.5rem",by:a=>a.InstanceCount,cell:a=>a.InstanceCount,wide:!0},{id:"ki\
nd",title:"Kind",width:"11rem",by:a=>a.Kind??"",wide:!0,cell:_c},{id:"tags",title:"Tags",width:"minmax(6rem, 2fr)",wide:!0,cell:a=>r`<${Fe} tags=${a.Tags} max=${6} pick=${s} />`}];
return r`
    <${I} view="services" title="Services" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${se} label="services" rows=${n} rowKey=${a=>a.Name} columns=${o} order="name" fields=${xc}
        stamp=${a=>`${a.InstanceCount} ${a.ChecksPassing} ${a.ChecksWarning} ${a.ChecksCritical} ${a.Tags}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["status:passing","passing"]]}
        empty="No services are registered, or this token may see none." />
    <//>`}var xc,Cr=A(()=>{G();rn();Q();ln();he();$e();We();Os();xc={"":e=>[e.Name,...e.Tags??[]],name:e=>e.Name,tag:e=>e.Tags??[],status:an,kind:e=>e.Kind??"",
source:e=>e.ExternalSources??[],node:e=>e.Nodes??[]}});var Or={};De(Or,{default:()=>Ir,roundTripMs:()=>Oo});function Ir({parts:e}){return e[0]?r`<${Cc} name=${e.join("/")} />`:r`<${Dc} />`}function Eo(e){return[...e.
Checks??[]].map(n=>n.Status).reduce((n,s)=>Z(s)>Z(n)?s:n,"passing")}function Oo(e,t){if(!e||!t||e.Vec.length!==t.Vec.length)return NaN;let n=e.Vec.reduce((a,i,l)=>a+
(i-t.Vec[l])**2,0),s=Math.sqrt(n)+e.Height+t.Height,o=s+e.Adjustment+t.Adjustment;return(o>0?o:s)*1e3}function Er(){let e=!X.value,{data:t}=Y(e?"agent/members":
"",5e3).value;return b(()=>new Map((t??[]).map(n=>[n.Name,n])),[t])}function Dc(){let e=O("internal/ui/nodes").value,t=Er(),n=Y("coordinate/nodes",3e4).value.data,
s=Y("status/leader",1e4).value.data,o=b(()=>{let a=new Map((n??[]).map(l=>[l.Node,l.Coord])),i=a.get(C.NodeName);return(e.data??[]).map(l=>{let c=t.get(l.Node),
u=c?.Tags??{},d=u.role==="consul"?"server":u.role==="node"?"client":"";return{...l,state:c?Io[c.Status]??"":"",role:d,version:(u.build??l.Meta?.["consul-version"]??
"").split(":")[0],leader:d==="server"&&s===`${l.Address}:${u.port}`,rtt:Oo(i,a.get(l.Node))}})},[e.data,t,n,s]);return r`
    <${I} view="nodes" title="Nodes" ready=${e.data!==void 0||e.error!==null} live=${e}>
      <${se} label="nodes" rows=${o} rowKey=${a=>a.Node} columns=${Tc} fields=${Nc} order="name"
        stamp=${a=>`${Eo(a)} ${(a.Services??[]).length} ${a.Address}`}
        quick=${[["status:critical","critical"],["status:warning","warning"],["role:server","servers"],["state:failed","failed"]]}
        empty="There are no nodes, or this token may see none." />
    <//>`}function Cc({name:e}){let t=O(`internal/ui/node/${z(e)}`).value,n=b(()=>W("tab","checks"),[]),s=Er(),o=t.data,a=s.get(e);T(()=>{o&&Un((o.Checks??[]).map(
c=>[jn(X.value,c.Node,c.CheckID),c.Status]))},[o]);let i=t.data!==void 0||t.error!==null,l=a?Io[a.Status]??"":"";return r`
    <${I} view="node" title=${e} crumbs=${[["Nodes",m("nodes")]]} ready=${i} live=${t} actions=${o?r`<${Mc} node=${o} state=${l} />`:null}>
      ${i&&!o&&!t.error?r`<div class="note warn">There is no such node, or this token may not see it.</div>`:null}
      ${o?r`
        <${w} title="Node"><${K} pairs=${[["Checks",r`<${ht} passing=${cn(o,"passing")} warning=${cn(o,"warning")} critical=${cn(o,"critical")} />`],["Gossip",l?
r`<${B} status=${Ar[l]??""} text=${l} />`:X.value?"":"no agent of this name is a member"],["Address",r`${o.Address} <${R} text=${o.Address} />`],["Other address\
es",Object.entries(o.TaggedAddresses??{}).map(([c,u])=>`${c}: ${u}`).join(", ")],["Id",o.ID],["Version",a?.Tags.build?.split(":")[0]]]} /><//>
        <${mt} choice=${n} label="What of the node" tabs=${[["checks",`Checks (${(o.Checks??[]).length})`],["services",`Services (${(o.Services??[]).length})`],
["sessions","Sessions"],["distance","Round trips"],["why","Evidence"],["meta","Meta"],["json","JSON"]]} />
        <${Ac} tab=${n.value} node=${o} member=${a} />`:null}
    <//>`}function Ac({tab:e,node:t,member:n}){switch(e){case"services":return r`<${Ic} node=${t} />`;case"sessions":return r`<${Ec} name=${t.Node} />`;case"dis\
tance":return r`<${Oc} name=${t.Node} />`;case"why":return r`<${Rc} name=${t.Node} member=${n} />`;case"meta":return r`<${w} title="Meta"><${K} pairs=${Object.entries(
t.Meta??{})} />${Object.keys(t.Meta??{}).length?null:r`<${N}>None.<//>`}<//>`;case"json":return r`<${R} text=${JSON.stringify(t,null,2)} block />`;default:return r`<${w} title="Checks">${(t.
Checks??[]).length?[...t.Checks].sort((s,o)=>Z(o.Status)-Z(s.Status)).slice(0,300).map(s=>r`<${Wn} key=${s.CheckID} check=${s} />`):r`<${N}>It has no checks.<//>`}<//>`}}
function Ic({node:e}){let t=s=>(e.Checks??[]).filter(o=>!o.ServiceID||o.ServiceID===s.ID).reduce((o,a)=>Z(a.Status)>Z(o)?a.Status:o,"passing"),n=[{id:"service",
title:"Service",width:"minmax(8rem, 1.5fr)",by:s=>s.Service,cell:s=>r`<a href=${m("instance",[s.Service,e.Node,s.ID])}>${s.Service}</a>`},{id:"status",title:"St\
atus",width:"7.5rem",by:s=>-Z(t(s)),cell:s=>r`<${B} status=${t(s)} />`},{id:"id",title:"Id",wide:!0,by:s=>s.ID,cell:s=>s.ID},{id:"port",title:"Port",width:"5rem",
wide:!0,by:s=>s.Port,cell:s=>s.Port||""},{id:"tags",title:"Tags",width:"1.5fr",wide:!0,cell:s=>r`<${Fe} tags=${s.Tags} max=${4} />`}];return r`<${se} label=${`s\
ervices of ${e.Node}`} rows=${e.Services??[]} rowKey=${s=>s.ID} columns=${n} order="service"
    fields=${{"":s=>[s.Service,s.ID,...s.Tags??[]],status:t,tag:s=>s.Tags??[]}} empty="No services on this node." />`}function Ec({name:e}){let t=O(`session/nod\
e/${z(e)}`).value;return r`<${w} title="Lock sessions">${(t.data??[]).length?r`<div class="scroll-x"><table class="plain"><thead><tr><th>Session</th><th>Id</th><th>TTL</th><th>On its end</th></tr></thead><tbody>
    ${t.data.map(n=>r`<tr key=${n.ID}><td><a href=${m("sessions",[n.ID])}>${n.Name||"no name"}</a></td><td class="mono">${n.ID}</td><td>${n.TTL||"none"}</td><td>${n.
Behavior}</td></tr>`)}</tbody></table></div>`:r`<${N}>${t.error?t.error.message:t.data===void 0?"Asking.":"No sessions."}<//>`}<//>`}function Oc({name:e}){let t=Y(
"coordinate/nodes",3e4).value.data,n=(t??[]).find(a=>a.Node===e)?.Coord,s=(t??[]).filter(a=>a.Node!==e).map(a=>({node:a.Node,ms:Oo(n,a.Coord)})).filter(a=>!Number.
isNaN(a.ms)).sort((a,i)=>a.ms-i.ms);if(!s.length)return r`<${w} title="Round trips"><${N}>${t?"No coordinates to compare with.":"Asking."}<//><//>`;let o=a=>s[Math.
floor((s.length-1)*a)].ms.toFixed(2);return r`<${w} title="Round trips"><p>Estimated by the nodes' coordinates: shortest ${o(0)} ms, median ${o(.5)} ms, longest ${o(
1)} ms.</p>
    <table class="plain"><thead><tr><th>Node</th><th>Round trip</th></tr></thead><tbody>${s.slice(0,50).map(a=>r`<tr key=${a.node}><td><a href=${m("nodes",[a.node])}>${a.
node}</a></td><td>${a.ms.toFixed(2)} ms</td></tr>`)}</tbody></table><//>`}function Rc({name:e,member:t}){let n=_e&&!X.value,{data:s,error:o}=Y(n&&t?`agent/membe\
rs?why=${encodeURIComponent(e)}`:"",5e3).value;return n?t?r`<${w} title=${`Why this agent holds it for ${Io[t.Status]}`}>
    ${o?r`<${N}>${o.message}<//>`:null}
    ${(s?.Evidence??[]).length?r`<table class="plain"><thead><tr><th>When</th><th>From</th><th>What</th></tr></thead><tbody>
      ${[...s.Evidence].reverse().map(a=>r`<tr><td>${Rn(a.At*1e3,ze.value)}</td><td>${a.From}</td><td>${a.What}</td></tr>`)}</tbody></table>`:null}
    <${K} pairs=${[["Forgotten",s?.ReapAt?new Date(s.ReapAt*1e3).toLocaleString():""],["Conflict",s?.Conflict],...Object.entries(t.Tags??{})]} /><//>`:r`<${w} title="Evidence"><${N}>No member of the gossip pool has this name.<//><//>`:
r`<${w} title="Evidence"><${N}>Only a proconsul agent of the same datacenter can tell.<//><//>`}function Mc({node:e,state:t}){let n=e.Node,s=!X.value,o=()=>U({method:"\
PUT",path:`agent/force-leave/${z(n)}`,done:`${n} has been made to leave.`,question:{title:`Force ${n} to leave`,danger:!0,typed:n,confirm:"Force leave",body:"It\
s state becomes left: the leader takes it with its services and checks out of the catalog, and a server out of the peers. If the agent still runs, it will come \
back by itself."}}),a=()=>U({method:"PUT",path:"catalog/deregister",body:{Node:n,Datacenter:M.value.dc},done:`${n} is deregistered.`,question:{title:`Deregister\
 node ${n}`,danger:!0,typed:n,confirm:"Deregister",body:`Its ${(e.Services??[]).length} services and ${(e.Checks??[]).length} checks go with it. No agent keeps \
it.`}});return r`
    ${s&&t&&t!=="left"&&n!==C.NodeName?r`<${S} need=${{Resource:"operator",Access:"write"}} run=${o} danger>Force leave<//>`:null}
    ${!t||t==="left"?r`<${S} need=${{Resource:"node",Access:"write",Segment:n}} run=${a} danger>Deregister<//>`:null}`}var Io,Ar,cn,Nc,Tc,Rr=A(()=>{G();Ne();ge();
Q();fe();rn();he();$e();we();We();Os();Io=["none","alive","leaving","left","failed"],Ar={alive:"passing",leaving:"warning",left:"warning",failed:"critical"};cn=
(e,t)=>(e.Checks??[]).filter(n=>n.Status===t).length;Nc={"":e=>[e.Node,e.Address,...Object.values(e.Meta??{}).map(String)],name:e=>e.Node,address:e=>e.Address,status:Eo,
service:e=>(e.Services??[]).map(t=>t.Service),meta:e=>Object.entries(e.Meta??{}).map(([t,n])=>`${t}=${n}`),state:e=>e.state,role:e=>e.role},Tc=[{id:"name",title:"\
Node",width:"minmax(8rem, 1.5fr)",by:e=>e.Node,cell:e=>r`<a href=${m("nodes",[e.Node])}>${e.Node}</a>
    ${e.leader?r` <span class="badge">leader</span>`:e.role==="server"?r` <span class="badge">server</span>`:null}`},{id:"status",title:"Checks",width:"minmax(6\
.5rem, 1fr)",by:e=>-Z(Eo(e)),cell:e=>r`<${ht} passing=${cn(e,"passing")} warning=${cn(e,"warning")} critical=${cn(e,"critical")} />`},{id:"state",title:"Gossip",
width:"7rem",wide:!0,by:e=>e.state,cell:e=>e.state?r`<${B} status=${Ar[e.state]??""} text=${e.state} />`:r`<span class="dim">no agent</span>`},{id:"address",title:"\
Address",width:"minmax(7rem, 1fr)",wide:!0,by:e=>e.Address,cell:e=>e.Address},{id:"services",title:"Services",width:"5rem",wide:!0,by:e=>(e.Services??[]).length,
cell:e=>(e.Services??[]).length},{id:"rtt",title:"Round trip",width:"6.5rem",wide:!0,by:e=>Number.isNaN(e.rtt)?1e9:e.rtt,cell:e=>Number.isNaN(e.rtt)?"":`${e.rtt.
toFixed(2)} ms`},{id:"version",title:"Version",width:"6rem",wide:!0,by:e=>e.version,cell:e=>e.version}]});function Rs(e,t){let n=new Set,s=new Set;for(let a of e){if(!a.startsWith(t))continue;let i=a.indexOf("/",t.length);i<0?s.add(a):n.add(a.slice(0,i+1))}let o=(a,i)=>[
...a].sort(Ds).map(l=>({key:l,name:l.slice(t.length),folder:i}));return[...o(n,!0),...o(s,!1)]}function Mr(e,t){return e.filter(n=>n.startsWith(t)).map(n=>({key:n,
name:n.slice(t.length),folder:!1}))}function Lt(e){return e.length<2?"":e.slice(0,e.lastIndexOf("/",e.length-2)+1)}function Ms(e){let t=[],n=Lt(e).length;for(let s=0;s<
n;){let o=e.indexOf("/",s)+1;t.push([e.slice(s,o-1),e.slice(0,o)]),s=o}return t}function Bn(e){let t=e.split("/"),n="";for(let s=0;s<t.length;s+=1){let o=t[s]??
"",a=s===t.length-1,i=Lc.exec(o)?.[0]??"";if(i==="."||i===".."||i===""&&!a)return n;if(i!==o)return n+i;n+=a?o:`${o}/`}return n}function Ue(e){return Bn(e)===e}
function oe(e,t=!1){return e.replace(t?/[^\P{C}\n\t]|[\u2028\u2029]/gu:/\p{C}|[\u2028\u2029]/gu,n=>Pc[n]??`\\u{${(n.codePointAt(0)??0).toString(16)}}`)}var Lc,Pc,
Pt=A(()=>{ln();Lc=/^(?:(?![\u{10000}-\u{10ffff}])[\p{L}\p{M}\p{N}\p{P}\p{S} ])*/u;Pc={"	":"\\t","\n":"\\n","\r":"\\r"}});function Vn(e){return{key:e.Key,bytes:It(e.Value??""),flags:String(e.Flags??0),session:e.Session??"",created:e.CreateIndex,modified:e.ModifyIndex,locks:e.LockIndex??
0}}function un(e,t){return e.length===t.length&&e.every((n,s)=>n===t[s])}function yt(e){let t=pt(e);return t===null||/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(t)?
null:t}function Ut(e){let t=yt(e);if(t===null)return{mode:"base64",text:Ge(e),ends:`
`};let n=new Set(t.match(/\r\n|\r|\n/g)??[`
`]),[s]=n;return{mode:"text",text:t.replace(/\r\n?/g,`
`),ends:n.size>1?"mixed":s}}function Ls(e,t){let n=t&&Ut(t);if(t&&n&&n.mode===e.mode&&n.text===e.text&&n.ends===e.ends)return t;if(e.mode==="text")return new TextEncoder().
encode(e.ends==="mixed"?e.text:e.text.replaceAll(`
`,e.ends));let s=e.text.replace(/\s/g,"");return Vr(s)?It(s):null}function jr(e,t){if(!/^\s*[{[]/.test(e)&&!/\.json$/i.test(t))return"";try{return JSON.parse(e),
""}catch(n){return n instanceof Error?n.message:String(n)}}function Hn(e){return/^\d{1,20}$/.test(e)&&BigInt(e)<2n**64n}function Ps(e){return JSON.stringify(e).
replace(/"Flags":"(\d+)"/g,'"Flags":$1')}function Ro(e,t,n,s){return{KV:{Verb:"cas",Key:e,Value:Ge(t),Flags:n,Index:s}}}function bt(e,t,n,s){return Ue(e)?{method:"\
PUT",path:`kv/${z(e)}`,params:{cas:s,flags:n==="0"?void 0:n},body:t}:{method:"PUT",path:"txn",body:Ps([Ro(e,t,n,s)])}}function qr(e,t){return Ue(e)?{method:"DEL\
ETE",path:`kv/${z(e)}`,params:{cas:t}}:{method:"PUT",path:"txn",body:Ps([{KV:{Verb:"delete-cas",Key:e,Index:t}}])}}function Kr(e){return Ue(e)?{method:"DELETE",
path:`kv/${z(e)}?recurse`}:{method:"PUT",path:"txn",body:Ps([{KV:{Verb:"delete-tree",Key:e}}])}}function wt({method:e,path:t,params:n,body:s}){let o=s instanceof
Uint8Array?yt(s):s,a=be(t,n);return o===null?`${ve(e,a)} --data-binary @value`:ve(e,a,o)}function Mo(e,t=!1){let n=e.flags==="0"||t?"":` -flags=${e.flags}`;return`\
consul kv ${t?"delete":"put"} -cas -modify-index=${e.modified}${n} ${tn(e.key)}${t?"":" @value"}`}async function rt({method:e,path:t,params:n,body:s}){let o=await te(
e,t,{params:n,body:s,accept:t==="txn"?[409]:[]});if(o.status!==409)return o.data!==!1;let a=String(o.data?.Errors?.[0]?.What??o.text);if(/index is stale/.test(a))
return!1;throw new pe(409,a,e,t)}async function Fr(e,t){if(Me.peek()){let{data:o}=await te("GET",`kv/${z(Bn(t))}?recurse`,{accept:[404]});return Array.isArray(o)?
o.filter(a=>e==="get"?a.Key===t:a.Key.startsWith(t)):[]}let n=await te("PUT","txn",{body:[{KV:{Verb:e,Key:t}}],accept:[409]});if(n.status!==409)return(n.data?.Results??
[]).map(o=>o.KV);let s=String(n.data?.Errors?.[0]?.What??n.text);if(/doesn't exist/.test(s))return[];throw new pe(/denied/i.test(s)?403:409,s,"PUT","txn")}async function jt(e){
if(e==="")return null;let t=Ue(e)?(await te("GET",`kv/${z(e)}`,{accept:[404]})).data:await Fr("get",e);return Array.isArray(t)&&t[0]?Vn(t[0]):null}function qt(e,t=!1){
let n=Bn(e);return`kv/${z(n)}?keys${t&&n===e?"&separator=/":""}`}async function Us(e){let t=await te("GET",qt(e),{accept:[404]});return Array.isArray(t.data)?t.
data.filter(n=>n.startsWith(e)):[]}async function js(e){if(!Ue(e))return(await Fr("get-tree",e)).map(Vn);let t=await te("GET",`kv/${z(e)}?recurse`,{accept:[404]});
return Array.isArray(t.data)?t.data.map(Vn):[]}function qc(e){let[t="",...n]=e,s=t.length;for(let o of n)for(;!o.startsWith(t.slice(0,s));)s-=1;return t.slice(0,
s).replace(/[\ud800-\udbff]$/,"")}async function Kc(e){let t=qc(e),n;try{n=await Us(t)}catch{return new Map}let s=new Set(n),o=new Set(e.filter(i=>s.has(i))),a=new Map(
e.filter(i=>!o.has(i)).map(i=>[i,null]));if(o.size>Ur&&o.size*2>=n.length)for(let i of await js(t))o.has(i.key)&&a.set(i.key,i);return a}async function Lo(e,t){
let n=e.length>Ur?await Kc(e):new Map,s=e.filter(o=>!n.has(o)).reverse();return await Promise.all(Array.from({length:jc},async()=>{for(let o=s.pop();o!==void 0;o=
s.pop()){try{n.set(o,await jt(o))}catch(a){throw s.length=0,new Error(`${o}: ${a instanceof Error?a.message:a}`)}t?.(n.size)}})),n}function Fc(e){let t=[],n=0;for(let s of e){
let o=(s.KV.Value?.length??0)+s.KV.Key.length,a=t.at(-1);!a||a.length>=Uc||n+o>Pr?(t.push([s]),n=o):(a.push(s),n+=o)}return t}async function Po(e,t){let n=0,s=[];
for(let o of Fc(e)){for(;o.length;){let a=await Wc(o);if(!a.size){n+=o.length;break}for(let[i,l]of a)s.push({key:o[i]?.KV.Key??"",why:l});o=o.filter((i,l)=>!a.has(
l))}t?.(n+s.length)}return{done:n,refused:s}}async function Wc(e){let t=s=>new Map(e.map((o,a)=>[a,s])),[n]=e;try{if(e.length===1&&n&&(n.KV.Value?.length??0)>Pr&&
Ue(n.KV.Key)){let{Key:a,Value:i="",Flags:l="0",Index:c=0}=n.KV;return await rt(bt(a,It(i),l,c))?new Map:t("it has changed meanwhile")}let s=await te("PUT","txn",
{body:Ps(e),accept:[409]});if(s.status!==409)return new Map;let o=s.data?.Errors??[];return o.length?new Map(o.map(({OpIndex:a,What:i})=>[a,/index is stale/.test(
i)?"it has changed meanwhile":i])):t(s.text)}catch(s){return t(s instanceof Error?s.message:String(s))}}function Wr(e){let t=e.map(({key:n,flags:s,bytes:o})=>({
key:n,flags:s,value:Ge(o)}));return`${JSON.stringify(t,null,"	").replace(/"flags": "(\d+)"/g,'"flags": $1')}
`}function Br(e){let t=JSON.parse(e.replace(/^\ufeff/,"").replace(/("flags":\s*)(\d{16,})/gi,'$1"$2"'));if(!Array.isArray(t))throw new Error("The JSON is not an\
 array of keys.");let n=new Set;return t.map((s,o)=>{let a=`Entry ${o+1}`;if(typeof s!="object"||s===null||Array.isArray(s))throw new Error(`${a} is not an obje\
ct.`);let{key:i,flags:l=0,value:c=""}=Object.fromEntries(Object.entries(s).map(([u,d])=>[u.toLowerCase(),d??void 0]));if(typeof i!="string"||i==="")throw new Error(
`${a} has no key.`);if(n.has(i))throw new Error(`${a}: the key ${i} is there twice.`);if(n.add(i),!Hn(String(l)))throw new Error(`${a} (${i}): flags must be a w\
hole number from 0 to 2^64-1.`);if(typeof c!="string"||!Vr(c))throw new Error(`${a} (${i}): the value is not base64.`);return{key:i,flags:String(l),bytes:It(c)}})}
function Vr(e){return e.length%4===0&&/^[A-Za-z0-9+/]*={0,2}$/.test(e)}async function Hr(e,t){let n=await ne(`kv/${z(Bn(t))}?recurse`,{accept:[404]});return{keys:(Array.
isArray(n)?n.filter(o=>o.Session===e&&o.Key.startsWith(t)):[]).map(o=>o.Key),read:Array.isArray(n)?n.length:0}}var Lr,Uc,Pr,jc,Ur,dn=A(()=>{ge();he();fe();Pt();
Lr=512*1024,Uc=64,Pr=38e4,jc=4,Ur=8});function Jr(e){return e===""?[]:e.match(/[^\n]*\n|[^\n]+$/g)??[]}function fn(e,t){let[n,s]=[Jr(e),Jr(t)],o=0;for(;o<n.length&&o<s.length&&n[o]===s[o];)o+=1;let a=0;
for(;a<n.length-o&&a<s.length-o&&n[n.length-1-a]===s[s.length-1-a];)a+=1;let i=Bc(n.slice(o,n.length-a),s.slice(o,s.length-a)),l=[...n.slice(0,o).map(c=>Kt("sam\
e",c)),...i.lines,...n.slice(n.length-a).map(c=>Kt("same",c))];return{lines:l,exact:i.exact,added:l.filter(c=>c.kind==="add").length,removed:l.filter(c=>c.kind===
"del").length}}function Kt(e,t){return t.endsWith(`
`)?{kind:e,text:t.slice(0,-1)}:{kind:e,text:t,open:!0}}function Bc(e,t){let n=e.length&&t.length?Vc(e,t):null;if(!n){let i=e.length===0||t.length===0;return{lines:[
...e.map(l=>Kt("del",l)),...t.map(l=>Kt("add",l))],exact:i}}let s=[],[o,a]=[e.length,t.length];for(let i=n.length-1;i>=0;i-=1){let l=o-a,c=n[i],u=l===-i||l!==i&&
Uo(c,i,l-1)<Uo(c,i,l+1),d=i===0?0:Uo(c,i,u?l+1:l-1),$=i===0?0:d-(u?l+1:l-1);for(;o>d&&a>$;)o-=1,a-=1,s.push(Kt("same",e[o]));if(i===0)break;u?s.push(Kt("add",t[a-
1])):s.push(Kt("del",e[o-1])),[o,a]=[d,$]}return{lines:s.reverse(),exact:!0}}function Uo(e,t,n){return e[n+t]??-1}function Vc(e,t){let n=Math.min(e.length+t.length,
1500),s=n+1,o=new Int32Array(2*n+3).fill(-1);o[s+1]=0;let a=[],i=0;for(let l=0;l<=n;l+=1){a.push(o.slice(s-l,s+l+1));for(let c=-l;c<=l;c+=2){let[u,d]=[o[s+c-1]??
-1,o[s+c+1]??-1],$=c===-l||c!==l&&u<d?d:u+1,f=$-c;for(;$<e.length&&f<t.length&&e[$]===t[f];)$+=1,f+=1,i+=1;if(o[s+c]=$,$>=e.length&&f>=t.length)return a}if(i+=l,
i>2e7)return null}return null}function qs(e,t=3){let n=new Uint8Array(e.length);e.forEach((o,a)=>{o.kind!=="same"&&n.fill(1,Math.max(0,a-t),a+t+1)});let s=[];return e.
forEach((o,a)=>{let i=s.at(-1);n[a]?s.push(o):i?.kind==="skip"?i.count+=1:s.push({kind:"skip",count:1})}),s}var jo=A(()=>{});function Ko({before:e,after:t,label:n}){let[s,o]=g(!1),[a,i]=b(()=>[yt(e),yt(t)],[e,t]),l=b(()=>[Et(a??""),Et(i??"")],[a,i]),c=l[0]!==null&&l[1]!==null,u=b(()=>s&&
c?fn(l[0]??"",l[1]??""):a===null||i===null?fn(on(e),on(t)):fn(a,i),[e,t,s,c]),d=qs(u.lines);return r`
    <div class="actions"><span class="dim">${u.added||u.removed?`${x(u.added,"line")} added, ${x(u.removed,"line")} removed`:s?"Only white space differs.":"No d\
ifference."}${u.exact?"":"; too much differs to find the least change"}</span>
      ${c?r`<label><input type="checkbox" checked=${s} onChange=${()=>o(!s)} /> compare as formatted JSON</label>`:null}</div>
    <div class="diff" role="group" aria-label=${n} tabindex="0">
      ${d.slice(0,qo).map($=>$.kind==="skip"?r`<div class="same">@@ ${x($.count,"equal line")} @@</div>`:r`<div class=${$.kind}>${Hc[$.kind]}${oe($.text,!0)}${$.
open&&$.kind!=="same"?r`<span class="dim"> (no line end)</span>`:null}</div>`)}
      ${d.length>qo?r`<div class="same">@@ ${x(d.length-qo,"more line")} @@</div>`:null}
    </div>`}function Gr({name:e,draft:t,setDraft:n,flags:s,setFlags:o,fixed:a=!1}){let i=b(()=>Ls(t),[t]),l=t.mode==="text"?jr(t.text,e):"",c=t.mode==="text"&&!l&&
/^\s*[{[]/.test(t.text),u=()=>{if(!i)return;let $=Ut(i);n(t.mode==="text"?{mode:"base64",text:Ge(i),ends:`
`}:$)},d=async $=>{let f=$.target.files?.[0];f&&n(Ut(new Uint8Array(await f.arrayBuffer())))};return r`
    ${a?null:r`
      <label class="field whole"><span>Value${t.mode==="base64"?", as base64":""}</span>
        <textarea class="code" rows="14" spellcheck=${!1} autocapitalize="off" data-editor value=${t.text}
          onInput=${$=>n({...t,text:$.target.value})}></textarea></label>
      <div class="actions">
        <button type="button" disabled=${!i||t.mode==="base64"&&yt(i)===null} onClick=${u}>${t.mode==="text"?"As base64":"As text"}</button>
        <button type="button" disabled=${!c} title="Changes white space only" onClick=${()=>n({...t,text:Et(t.text)??t.text})}>Format JSON</button>
        <label class="button">From a file<input class="sr" type="file" onChange=${d} /></label>
        <span class="dim">${i?tt(i.length):"This is not base64."}</span>
        ${t.ends===`\r
`||t.ends==="\r"?r`<span class="dim">Lines end with ${t.ends==="\r"?"CR":"CR LF"}, and will.</span>`:null}
      </div>
      ${t.ends==="mixed"?r`<p class="note warn">Some lines end with CR LF and some with LF. If you change the text, all will end with LF. As base64 they can be kept.</p>`:
null}
      ${l?r`<p class="note warn">This is not JSON as it stands: ${l}</p>`:null}
      ${i&&i.length>Lr?r`<p class="note bad">The value has ${i.length.toLocaleString("en")} bytes. An agent takes 524,288 unless it is configured otherwise.</p>`:
null}`}
    <label class="field"><span>Flags, a number the agent keeps with the value</span>
      <input inputmode="numeric" value=${s} onInput=${$=>o($.target.value.trim())} /></label>
    ${Hn(s)?null:r`<p class="note bad">Flags are a whole number from 0 to 18446744073709551615.</p>`}`}function Jc({name:e,from:t,theirs:n,mine:s,flags:o,keep:a,
take:i,close:l}){let c=n&&n.flags!==t.flags;return r`
    <${Ye} title="This key was changed while you edited it" close=${l} wide>
      <div data-conflict>
      <p>Nothing of yours has been written. ${n?r`You have read index ${t.modified}; now it is ${n.modified}.`:r`The key <code>${oe(e)}</code> has been deleted.`}</p>
      ${n?r`
        <h3>What they changed since you read it</h3>
        <${Ko} before=${t.bytes} after=${n.bytes} label="What they changed" />
        ${c?r`<p>Flags: ${t.flags} then, ${n.flags} now.</p>`:null}
        <h3>What yours would change in theirs</h3>
        <${Ko} before=${n.bytes} after=${s} label="What yours would change" />
        ${o!==n.flags?r`<p>Flags: ${n.flags} theirs, ${o} yours.</p>`:null}`:null}
      <div class="buttons">
        <button type="button" data-edit-on onClick=${l}>Go on editing</button>
        <button type="button" data-take-theirs onClick=${i}>${n?"Take theirs":"Leave it deleted"}</button>
        <${S} need=${{Resource:"key",Access:"write",Segment:e}} run=${a} danger><span data-keep-mine>${n?"Keep mine":"Create it with mine"}</span><//>
      </div></div>
    <//>`}function zr({base:e,live:t,close:n}){let s=e.key,[o,a]=g(e),[i,l]=g(()=>Ut(e.bytes)),[c,u]=g(e.flags),[d,$]=g(!1),[f,p]=g(!1),[v,y]=g(null),h=b(()=>Ls(
i,o.bytes),[i,o]),k=!h||!un(h,o.bytes)||c!==o.flags;T(()=>(Se.value=k?`Your change of ${s} is not saved.`:"",()=>{Se.value=""}),[k]);let _=ee(null);T(()=>{_.current?.
querySelector(d?".diff":"[data-editor]")?.focus()},[d]),T(()=>()=>document.getElementById("main")?.focus({preventScroll:!0}),[]);let H=t===null||t&&t.modified>o.
modified&&!Xr(t,o),xe=D=>{a(D),l(Ut(D.bytes)),u(D.flags),$(!1)},ye=async(D,le=o.modified)=>{if(!(!h||f)){p(!0);try{let ie=await Gc(o,h,c,le);if("theirs"in ie){y(
{pair:ie.theirs});return}P(`Key ${s} saved.`),y(null),$(!1),D?a(ie.now):n()}catch(ie){P(kt(ie),!0)}finally{p(!1)}}},He=()=>{v?.pair&&xe(v.pair),y(null),v?.pair||
n()},ut=h!==null&&Hn(c),et={Resource:"key",Access:"write",Segment:s};return r`
    <section class="card" data-editing ref=${_}>
      <header><h2>${d?"What will change":"Edit"}</h2></header>
      ${H?r`<div class="note warn" role="alert"><b>${t?"This key has just been changed elsewhere.":"This key has just been deleted elsewhere."}</b> What you edit is untouched.
        <button type="button" data-compare onClick=${()=>y({pair:t??null})}>Compare</button></div>`:null}
      ${d&&h?r`
        <${Ko} before=${o.bytes} after=${h} label="What will change" />
        ${c===o.flags?null:r`<p>Flags: ${o.flags} before, ${c} after.</p>`}
        <details><summary>The request</summary><${R} text=${wt(bt(s,h,c,o.modified))} block /></details>
        <p class="hint">It is written only if the key is still as it was read, at index ${o.modified}.</p>`:r`<${Gr} name=${s} draft=${i} setDraft=${l} flags=${c} setFlags=${u} />`}
      <div class="buttons">
        <button type="button" disabled=${f} onClick=${()=>d?$(!1):n()}>${d?"Back":"Cancel"}</button>
        ${d?r`
          <${S} need=${et} disabled=${f||!ut} run=${()=>ye(!0)}>Save and go on editing<//>
          <${S} need=${et} disabled=${f||!ut} run=${()=>ye(!1)} primary>Save<//>`:r`<button type="button" class="primary" data-review disabled=${!k||!ut} onClick=${()=>$(
!0)}>${k?"Review":"Nothing changed"}</button>`}
      </div>
      ${v?r`<${Jc} name=${s} from=${o} theirs=${v.pair} mine=${h??o.bytes} flags=${c} close=${()=>y(null)}
        keep=${()=>ye(!1,v.pair?.modified??0)} take=${He} />`:null}
    </section>`}function Xr(e,t){return e.flags===t.flags&&un(e.bytes,t.bytes)}async function Gc(e,t,n,s){let o=await rt(bt(e.key,t,n,s));if(!o){let i=await jt(
e.key);if(i&&s===e.modified&&Xr(i,e)&&(o=await rt(bt(e.key,t,n,i.modified))),!o)return{theirs:await jt(e.key)}}let a=await jt(e.key);return{now:a&&a.flags===n&&
un(a.bytes,t)?a:{...e,bytes:t,flags:n}}}function Ks({prefix:e,copy:t,close:n}){let[s,o]=g(e),[a,i]=g(()=>Ut(t?.bytes??new Uint8Array)),[l,c]=g(t?.flags??"0"),[u,
d]=g(""),[$,f]=g(!1),p=t?t.bytes:Ls(a),v=ee(null);T(()=>{v.current?.focus(),v.current?.setSelectionRange(s.length,s.length)},[]);let y=s!==""&&p!==null&&Hn(l),h=p?
bt(s,p,l,0):null,k=async _=>{if(_.preventDefault(),!(!y||!h||$)){f(!0);try{await rt(h)?(P(`Key ${s} created.`),n(),L(m("key",s))):d("There is a key of this name\
 already. Nothing was written.")}catch(H){d(kt(H))}finally{f(!1)}}};return r`
    <${Ye} title=${t?`Copy ${oe(t.key)}`:"New key"} close=${n} wide>
      <form onSubmit=${k}>
        <label class="field whole"><span>Name, with slashes for folders</span>
          <input value=${s} autocomplete="off" spellcheck=${!1} data-name ref=${v} onInput=${_=>{o(_.target.value),d("")}} /></label>
        <${Gr} name=${s} draft=${a} setDraft=${i} flags=${l} setFlags=${c} fixed=${!!t} />
        ${u?r`<p class="note bad" role="alert">${u}</p>`:null}
        ${s&&h?r`<details><summary>The request</summary><${R} text=${wt(h)} block /></details>`:null}
        <div class="buttons"><button type="button" onClick=${n}>Cancel</button>
          <button type="submit" class="primary" data-change disabled=${!y||$}>Create</button></div>
      </form>
    <//>`}var qo,Hc,kt,Fo=A(()=>{G();jo();he();dn();Q();Pt();$e();we();qo=3e3,Hc={same:"  ",add:"+ ",del:"- "},kt=e=>e instanceof Error?e.message:String(e)});var ti={};De(ti,{Invalidate:()=>Ws,default:()=>ei,sessionName:()=>Jn});function Jn(e){return e.Name?`${e.Name} (${Pe(e.ID)})`:e.ID}function Fs(e){return[...new Set(
[...e.NodeChecks??[],...(e.ServiceChecks??[]).map(t=>t.ID),...e.Checks??[]])]}function Zr(e){return e.TTL&&ks(e.TTL)||0}function Qr(e){return e.Behavior==="dele\
te"?"Every key it holds is deleted with its value.":`Every key it holds is released and keeps its value.${e.LockDelay?` For ${Le(e.LockDelay/1e6)} nobody can lo\
ck them again.`:""}`}function Ws({session:e}){let t=()=>void U({method:"PUT",path:`session/destroy/${z(e.ID)}`,done:`Session ${Jn(e)} ended.`,question:{title:`I\
nvalidate session ${Jn(e)}`,danger:!0,confirm:"Invalidate",body:r`<p>${Qr(e)}</p><p>Whoever made it, on node ${e.Node}, finds out when it next uses it.</p>`}});
return r`<${S} need=${Yr(e)} danger run=${t}>Invalidate<//><${j} need=${Yr(e)} />`}function ei({parts:[e=""]}){return e?r`<${Xc} id=${e} />`:r`<${zc} />`}function zc(){
let e=O("session/list").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Session",width:"minmax(9rem, 2fr)",by:s=>s.Name||s.ID,cell:s=>r`<a href=${m("ses\
sions",[s.ID])} title=${s.ID}>${s.Name?r`${oe(s.Name)} <span class="dim mono">${Pe(s.ID)}</span>`:Pe(s.ID)}</a>`},{id:"node",title:"Node",width:"minmax(6rem, 1f\
r)",by:s=>s.Node,cell:s=>r`<a href=${m("nodes",[s.Node])}>${s.Node}</a>`},{id:"ttl",title:"TTL",width:"6rem",by:Zr,cell:s=>s.TTL||r`<span class="dim">none</span>`},
{id:"behaviour",title:"At its end",width:"8rem",by:s=>s.Behavior,wide:!0,cell:s=>`${s.Behavior}s keys`},{id:"delay",title:"Lock delay",width:"7rem",by:s=>s.LockDelay,
wide:!0,cell:s=>Le(s.LockDelay/1e6)},{id:"checks",title:"Checks",width:"minmax(6rem, 1fr)",wide:!0,by:s=>Fs(s).length,cell:s=>Fs(s).join(", ")||r`<span class="dim">none</span>`},
{id:"created",title:"Created at index",width:"10rem",wide:!0,by:s=>s.CreateIndex,cell:s=>s.CreateIndex}];return r`
    <${I} view="sessions" title="Sessions" ready=${e.data!==void 0||e.error!==null} live=${e}>
      ${e.data===void 0?null:r`<${se} label="sessions" rows=${t} rowKey=${s=>s.ID} columns=${n} order="-created"
        fields=${{"":s=>[s.Name,s.ID,s.Node],name:s=>s.Name,node:s=>s.Node,check:Fs,end:s=>s.Behavior}}
        quick=${[["end:delete","deletes keys"]]}
        empty="There are no sessions, or this token may see none. They are made by whatever takes locks: consul lock, or a client of its own." />`}
    <//>`}function Xc({id:e}){let t=O(`session/info/${z(e)}`).value,n=t.data?.[0],s=t.data!==void 0||t.error!==null;return r`
    <${I} view="sessions" title=${n?n.Name||Pe(e):Pe(e)} crumbs=${[["Sessions",m("sessions")]]}
      ready=${s} live=${t} actions=${n?r`<${Ws} session=${n} />`:null}>
      ${t.data!==void 0&&!n?r`<${N}>This session has ended, or this token may not see it.<//>`:null}
      ${n?r`
        <div class="cards">
          <${w} title="Session">
            <${K} pairs=${[["Id",r`<code>${n.ID}</code> <${R} text=${n.ID} />`],["Name",n.Name],["Node",r`<a href=${m("nodes",[n.Node])}>${n.Node}</a>`],["At it\
s end",Qr(n)],["Lock delay",Le(n.LockDelay/1e6)],["Created",`at index ${n.CreateIndex}`]]} />
          <//>
          <${Yc} session=${n} />
        </div>
        <${Zc} session=${n} />
        <${ue} data=${n} />`:null}
    <//>`}function Yc({session:e}){let t=Fs(e),n=O(t.length?`health/node/${z(e.Node)}`:"").value,s=n.data??[];return r`
    <${w} title="What holds it alive">
      ${e.TTL?r`<p>Whoever made it must renew it within ${Le(Zr(e))}. The cluster ends it after that time, at the latest after twice that.</p>`:null}
      ${t.length?r`<p>It ends as soon as one of these checks is critical or gone:</p>
        <ul class="plain-list">${t.map(o=>{let a=s.find(i=>i.CheckID===o);return r`<li key=${o}>${n.data===void 0?null:a?r`<${B} status=${a.Status} />`:r`<span class="dim">not found</span>`} ${a?.
Name??o}${a?.ServiceName?r` of <a href=${m("services",[a.ServiceName])}>${a.ServiceName}</a>`:null}</li>`})}</ul>`:null}
      ${!e.TTL&&!t.length?r`<p>Nothing: it lasts until it is ended or its node is taken out of the catalog.</p>`:null}
    <//>`}function Zc({session:e}){let[t,n]=g(""),[s,o]=g(null),[a,i]=g(!1);return r`
    <${w} title="Keys it holds">
      <form class="actions" onSubmit=${async c=>{c.preventDefault(),i(!0);try{o(await Hr(e.ID,t))}catch(u){P(u instanceof Error?u.message:String(u),!0)}finally{
i(!1)}}}>
        <label>Below <input value=${t} placeholder="all keys" aria-label="Prefix of the keys to look at" spellcheck=${!1} autocomplete="off"
          onInput=${c=>n(c.target.value)} /></label>
        <button type="submit" disabled=${a}>${a?"Reading":"Look for them"}</button>
        <span class="hint">The agent keeps no list by session, so all keys below are read, values too.</span>
      </form>
      <div aria-live="polite">${s?r`
        <p>${x(s.keys.length,"key")} of ${s.read.toLocaleString("en")} read.</p>
        <ul class="plain-list">${s.keys.slice(0,500).map(c=>r`<li key=${c}><a class="key-name" href=${m("key",c)}>${oe(c)}</a></li>`)}</ul>
        ${s.keys.length>500?r`<p class="dim">The first 500 are shown.</p>`:null}`:null}</div>
    <//>`}var Yr,Wo=A(()=>{G();ge();he();dn();Ne();Q();Pt();$e();we();We();Yr=e=>({Resource:"session",Access:"write",Segment:e.Node})});var si={};De(si,{default:()=>ni,download:()=>Bs});function Qc(e){let t=e!==""&&Ue(e),n=O(t?`kv/${z(e)}`:qt(e)).value,[s,o]=g({});T(()=>{if(t||n.data===void 0)return;
let i=!0;return jt(e).then(l=>{i&&o({pair:l})},l=>{i&&o({error:l})}),()=>{i=!1}},[n.data]);let a=b(()=>n.data===void 0?void 0:n.data?.[0]?.Key===e?Vn(n.data[0]):
null,[n.data]);return t?{pair:a,live:n}:{pair:s.pair,live:s.error?{...n,error:s.error}:n}}function ni({rest:e}){let{pair:t,live:n}=Qc(e),[s,o]=g(null),[a,i]=g(!1),
l={Resource:"key",Access:"write",Segment:e},c=[["Keys",m("kv")],...Ms(e).map(([d,$])=>[oe(d)||"(empty)",m("kv",$)])],u=t&&!s?r`
    <${j} need=${l} />
    <${S} need=${l} primary run=${()=>o(t)}>Edit<//>
    <${S} need=${{...l,Segment:Lt(e)}} run=${()=>i(!0)}>Copy to a new key<//>
    <${S} need=${l} danger run=${()=>eu(t)}>Delete<//>`:null;return r`
    <${I} view="key" title=${oe(e)||"(empty)"} crumbs=${c} actions=${u} live=${n} ready=${t!==void 0||n.error!==null}>
      ${s?r`<${zr} base=${s} live=${t} close=${()=>o(null)} />`:null}
      ${t&&!s?r`<${su} pair=${t} />`:null}
      ${t?r`<${ou} pair=${t} />`:null}
      ${t===null&&!s?r`
        <${N}>There is no key of this name, or this token may not read it.<//>
        <div class="actions"><a class="button" href=${m("kv",e.endsWith("/")?e:Lt(e))}>What is in its folder</a>
          ${e?r`<${S} need=${l} run=${()=>i(!0)}>Create it<//>`:null}</div>`:null}
      ${a?r`<${Ks} prefix=${e} copy=${t??void 0} close=${()=>i(!1)} />`:null}
    <//>`}async function eu(e){let t=qr(e.key,e.modified),n=e.session?" A session holds it; deleting it ends that lock.":"";if(await Te({title:`Delete key ${oe(
e.key)}`,danger:!0,confirm:"Delete",curl:wt(t),body:`Its value of ${tt(e.bytes.length)} is lost. It is deleted only if it is still as shown, at index ${e.modified}\
.${n}`}))try{await rt(t)?(P(`Key ${e.key} deleted.`),L(m("kv",Lt(e.key)))):P(`Key ${e.key} has changed meanwhile and was not deleted.`,!0)}catch(s){P(kt(s),!0)}}
function tu(e){let t=yt(e);return t===null?"hex":/^\s*[{[]/.test(t)&&Et(t)!==null?"json":"text"}function nu(e,t){if(t==="base64")return{text:Ge(e),note:""};if(t===
"hex")return{text:on(e),note:""};let n=pt(e);if(n===null)return{text:on(e),note:"This is no text in UTF-8, so it is shown in hex."};if(t==="text")return{text:oe(
n,!0),note:""};let s=Et(n);return s===null?{text:oe(n,!0),note:"This is not JSON, or nested too deep to be formatted, so it is shown as text."}:{text:oe(s,!0),note:"\
Formatted for reading. The stored bytes are as they were written."}}function su({pair:e}){let[t,n]=g(!1),s=tu(e.bytes),o=ms.value==="auto"?s:ms.value,{text:a,note:i}=b(
()=>nu(e.bytes,o),[e.bytes,o]),l={json:"JSON",text:"text",hex:"hex"},c=b(()=>pt(e.bytes)??Ge(e.bytes),[e.bytes]);return r`
    <${w} title="Value" actions=${r`<button type="button" class="quiet" onClick=${()=>Bs(e.bytes,e.key.split("/").at(-1)||"value")}>Download</button>
        <${R} text=${c} label=${pt(e.bytes)===null?"copy base64":"copy"} />`}>
      <${mt} choice=${ms} label="How to read it" tabs=${[["auto",`Auto (${l[s]})`],["text","Text"],["json","JSON"],["hex","Hex"],["base64","Base64"]]} />
      ${i?r`<p class="hint">${i}</p>`:null}
      ${e.bytes.length?r`<pre class=${`value ${a.startsWith("00000000  ")?"hex":""}`} data-value tabindex="0" aria-label="Value">${t?a:a.slice(0,Bo)}</pre>`:r`<${N}>The value is empty.<//>`}
      ${a.length>Bo&&!t?r`<p><button type="button" onClick=${()=>n(!0)}>Show all ${a.length.toLocaleString("en")} characters</button> <span class="dim">The first ${Bo.
toLocaleString("en")} are shown.</span></p>`:null}
    <//>`}function Bs(e,t){let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([e],{type:"application/octet-stream"})),n.download=t,n.click(),
setTimeout(()=>URL.revokeObjectURL(n.href),1e4)}function ou({pair:e}){let{key:t,flags:n}=e,s=tn(t),o=Ue(t)?ve("GET",be(`kv/${z(t)}?raw`)):ve("PUT",be("txn"),[{KV:{
Verb:"get",Key:t}}]),a=bt(t,new Uint8Array([0]),n,e.modified);return r`
    <div class="cards">
      <${w} title="About this key">
        <${K} pairs=${[["Size",`${e.bytes.length.toLocaleString("en")} bytes`],["Flags",n==="0"?"0":`${n} (0x${BigInt(n).toString(16)})`],["Created",`at index ${e.
created}`],["Changed",r`at index <span data-modified>${e.modified}</span>`],["Locked",e.locks===0?"never":`${x(e.locks,"time")} so far`]]} />
        <h3>Lock</h3>
        ${e.session?r`<${au} key=${e.session} id=${e.session} />`:r`<${N}>No session holds it.<//>`}
      <//>
      <${w} title="In a terminal">
        <${R} text=${o} block />
        ${Ue(t)?r`
          <${R} text=${`consul kv get -detailed ${s}`} block />
          <details><summary>Changing it</summary>
            <${R} text=${wt(a)} block /><${R} text=${Mo(e)} block /><${R} text=${Mo(e,!0)} block /></details>`:r`<p class="hint">No path of a request carries this name unchanged, so the command line does not reach the key. A transaction does.</p>`}
      <//>
    </div>`}function au({id:e}){let t=O(`session/info/${encodeURIComponent(e)}`).value,n=t.data?.[0];return r`
    <${K} pairs=${[["Session",r`<a href=${m("sessions",[e])}>${n?Jn(n):e}</a>`],["Node",n?r`<a href=${m("nodes",[n.Node])}>${n.Node}</a>`:""]]} />
    ${t.data!==void 0&&!n?r`<${N}>This token may not see the session.<//>`:null}
    ${n?r`<div class="buttons left"><${Ws} session=${n} /></div>`:null}`}var Bo,Vo=A(()=>{G();ge();he();dn();Ne();Q();fe();Pt();$e();we();Fo();Wo();Bo=1e5});var ri={};De(ri,{default:()=>oi});function oi({rest:e}){let t=b(()=>W("flat"),[]),n=t.value==="1",s=O(qt(e,!n)).value,o=b(()=>(n?Mr:Rs)(s.data??[],e),[s.data,n]),
[a,i]=g(new Set),[l,c]=g(""),u={Resource:"key",Access:"write",Segment:e},d=Ms(e).map(([v,y])=>[oe(v)||"(empty)",m("kv",y)]),$=()=>c(""),f=()=>{i(new Set),t.value=
n?"":"1"},p=r`
    <${j} need=${u} />
    <${S} need=${u} primary run=${()=>c("new")}>New key<//>
    <${S} need=${u} run=${()=>c("import")}>Import<//>
    ${e?r`<${S} need=${{...u,Access:"write-prefix"}} danger run=${()=>uu(e)}>Delete folder<//>`:null}`;return r`
    <${I} view="kv" title=${oe(e)||"Keys"} crumbs=${e?[["Keys",m("kv")],...d]:[]} actions=${p}
        live=${s} ready=${s.data!==void 0||s.error!==null}>
      ${s.data===void 0?null:r`<${se} label="keys" rows=${o} rowKey=${v=>v.key} stamp=${v=>v.key} columns=${ru(e,n)}
        fields=${{"":v=>v.name||v.key,is:v=>v.folder?"folder":"key"}}
        picked=${a} onPick=${i}
        tools=${r`<button type="button" class="chip" data-flat aria-pressed=${n} title="Every key below, without folders" onClick=${f}>Flat</button>
          <${iu} prefix=${e} flat=${n} picked=${a} clear=${()=>i(new Set)} some=${o.length>0} />`}
        empty=${e?"There are no keys below this prefix, or this token may see none.":"There are no keys yet, or this token may see none."} />`}
      ${l==="new"?r`<${Ks} prefix=${e} close=${$} />`:null}
      ${l==="import"?r`<${du} close=${$} />`:null}
    <//>`}function ru(e,t){return[{id:"name",title:t&&e?`Key below ${oe(e)}`:"Name",width:"minmax(0, 1fr)",cell:n=>{let s=n.folder?m("kv",n.key,t?{flat:"1"}:{}):
m("key",n.key);return r`<a class=${`key-name ${n.folder?"folder":""}`} href=${s}>${n.name?oe(n.name):oe(n.key)}</a>${n.name?null:r` <span class="badge">the key named as the folder</span>`}`}},
{id:"is",title:"Is a",width:"5rem",wide:!0,cell:n=>r`<span class="dim">${n.folder?"folder":"key"}</span>`}]}function iu({prefix:e,flat:t,picked:n,clear:s,some:o}){
let[a,i]=g(""),l=v=>!t&&v.endsWith("/")&&v!==e,c=[...n].filter(l),u=[...n].filter(v=>!l(v)),d=[...n].slice(0,64).every(v=>re({Resource:"key",Access:l(v)?"write-\
prefix":"write",Segment:v})),$=async v=>{try{await v()}catch(y){P(kt(y),!0)}finally{i("")}},f=()=>$(async()=>{i("Reading");let v=n.size?await lu(c,u,y=>i(`Read ${y}`)):
await js(e);Bs(Wr(v),`consul-kv-${(e||"all").replace(/[^\w.-]+/g,"-").replace(/-$/,"")}.json`),P(`${x(v.length,"key")} exported.`)}),p=()=>$(async()=>{let v=(await Promise.
all(c.map(Us))).flat(),y=[...new Set([...v,...u])];if(!await cu(y,c))return;let{done:h,refused:k}=await Po(y.map(_=>({KV:{Verb:"delete",Key:_}})),_=>i(`Deleted ${_}`));
s(),ai("deleted",h,k)});return r`
    ${n.size?r`<span class="count">${x(n.size,"chosen","chosen")}</span>`:null}
    ${o?r`<button type="button" data-export disabled=${a!==""} title="As the JSON of consul kv export" onClick=${f}>${n.size?"Export chosen":"Export all below"}</button>`:
null}
    ${n.size&&d?r`<button type="button" class="danger" data-change data-delete-chosen disabled=${a!==""} onClick=${p}>Delete chosen</button>`:null}
    ${n.size?r`<button type="button" class="quiet" onClick=${s}>Choose none</button>`:null}
    <span class="dim" aria-live="polite">${a}</span>`}async function lu(e,t,n){let s=new Map;for(let o of e){for(let a of await js(o))s.set(a.key,a);n(s.size)}for(let[
o,a]of await Lo(t.filter(i=>!s.has(i)),n))a&&s.set(o,a);return[...s.values()].sort((o,a)=>o.key<a.key?-1:1)}function ai(e,t,n){let s=n.slice(0,5).map(({key:a,why:i})=>`${a}\
: ${i}`),o=n.length>s.length?` and ${n.length-s.length} more`:"";P(`${x(t,"key")} ${e}.${n.length?` ${x(n.length,"key")} not: ${s.join("; ")}${o}.`:""}`,n.length>
0)}async function cu(e,t){return e.length?Te({title:`Delete ${x(e.length,"key")}`,danger:!0,confirm:`Delete ${x(e.length,"key")}`,typed:`delete ${e.length}`,body:r`<p>Their values are lost${t.
length?`. ${x(t.length,"folder")} chosen: only the keys that are in them now are deleted`:""}. Locks on them end.</p><${Ho} keys=${e} />`,curl:ve("PUT","txn",e.
slice(0,64).map(n=>({KV:{Verb:"delete",Key:n}})))}):(P("There are no keys in what is chosen.",!0),!1)}function Ho({keys:e}){return r`<ul class="plain-list output">${e.
slice(0,$n).map(t=>r`<li key=${t} class="key-name mono">${oe(t)}</li>`)}
    ${e.length>$n?r`<li>and ${x(e.length-$n,"more","more")}</li>`:null}</ul>`}async function uu(e){try{let t=await Us(e);if(!t.length){P("There are no keys belo\
w it.",!0);return}let n=Kr(e);if(!await Te({title:`Delete all below ${oe(e)}`,danger:!0,confirm:`Delete ${x(t.length,"key")}`,typed:e,curl:wt(n),body:r`<p>${x(t.
length,"key")} of this prefix at this moment, with their values and locks. One that is added before the answer comes goes too.</p><${Ho} keys=${t} />`}))return;
await rt(n),P(`${x(t.length,"key")} below ${e} deleted.`),L(m("kv",Lt(e)))}catch(t){P(kt(t),!0)}}function du({close:e}){let[t,n]=g(""),[s,o]=g(null),[a,i]=g(""),
[l,c]=g(""),u=async f=>{let p=f.target.files?.[0];p&&n(await p.text())},d=async()=>{i(""),c("Reading");try{let f=Br(t),p=await Lo(f.map(({key:h})=>h),h=>c(`Read\
 ${h} of ${f.length}`)),v=f.map(h=>({...h,now:p.get(h.key)??null})),y=h=>!!(h.now&&h.now.flags===h.flags&&un(h.now.bytes,h.bytes));o({write:v.filter(h=>!y(h)),same:v.
filter(y).map(({key:h})=>h)})}catch(f){i(kt(f))}c("")},$=async()=>{if(!s)return;c("Writing");let f=s.write.map(({key:y,flags:h,bytes:k,now:_})=>Ro(y,k,h,_?.modified??
0)),{done:p,refused:v}=await Po(f,y=>c(`Written ${y} of ${f.length}`));ai("written",p,v),e()};return r`
    <${Ye} title="Import keys" close=${e} wide>
      ${s?r`<${fu} plan=${s} />`:r`
        <p>The JSON of <code>consul kv export</code>. Keys are written under the names in it. Nothing is written before you have seen what would change.</p>
        <div class="actions"><label class="button">From a file<input class="sr" type="file" accept=".json,application/json" data-import-file onChange=${u} /></label></div>
        <label class="field whole"><span>Or paste it</span>
          <textarea class="code" rows="12" spellcheck=${!1} data-import value=${t} onInput=${f=>n(f.target.value)}></textarea></label>`}
      ${a?r`<p class="note bad" role="alert">${a}</p>`:null}
      <div class="buttons"><span class="dim" aria-live="polite">${l}</span>
        <button type="button" disabled=${l!==""} onClick=${()=>s?o(null):e()}>${s?"Back":"Cancel"}</button>
        ${s?r`<button type="button" class=${s.write.some(({now:f})=>f)?"danger":"primary"} data-change disabled=${l!==""||!s.write.length} onClick=${$}>Write ${x(
s.write.length,"key")}</button>`:r`<button type="button" class="primary" disabled=${l!==""||!t.trim()} onClick=${d}>See what would change</button>`}
      </div>
    <//>`}function fu({plan:e}){let t=e.write.filter(({now:s})=>!s),n=e.write.filter(({now:s})=>s);return r`
    <h3>${x(t.length,"new key")}</h3>
    ${t.length?r`<${Ho} keys=${t.map(({key:s})=>s)} />`:null}
    <h3>${x(n.length,"key")} overwritten</h3>
    ${n.length?r`<ul class="plain-list output">${n.slice(0,$n).map(({key:s,bytes:o,flags:a,now:i})=>r`
      <li key=${s}><a class="key-name mono" href=${m("key",s)} target="_blank">${oe(s)}</a> <span class="dim">${tt(i?.bytes.length??0)} now, ${tt(o.length)} then${a===
i?.flags?"":`, flags ${i?.flags} now, ${a} then`}</span></li>`)}
      ${n.length>$n?r`<li>and ${x(n.length-$n,"more","more")}</li>`:null}</ul>`:null}
    <h3>${x(e.same.length,"key")} the same already</h3>
    <p class="hint">Written in transactions of up to 64 keys. A key that changes before its turn comes is left alone and named afterwards.</p>`}var $n,ii=A(()=>{
G();ge();he();dn();Ne();Oe();Q();Pt();$e();we();We();Vo();Fo();$n=200});function V({label:e,value:t,set:n,hint:s,list:o,type:a="text",required:i=!1,placeholder:l,disabled:c}){let u=b(()=>`f${Math.random().toString(36).slice(2)}`,[]);
return r`<div class="field"><label><span>${e}</span>
    <input type=${a} value=${t} required=${i} placeholder=${l} disabled=${c} list=${o?u:void 0} aria-describedby=${s?`${u}h`:void 0}
      autocomplete="off" spellcheck=${!1} onInput=${d=>n(d.target.value)} /></label>
    ${o?r`<datalist id=${u}>${$u(o,t).map(d=>r`<option value=${d} />`)}</datalist>`:null}
    ${s?r`<small class="hint" id=${`${u}h`}>${s}</small>`:null}</div>`}function $u(e,t){let n=t.trim().toLowerCase();return e.filter(s=>s.toLowerCase().includes(
n)).slice(0,100)}function Ce({label:e,value:t,set:n,options:s}){return r`<label class="field"><span>${e}</span><select value=${t} onChange=${o=>n(o.target.value)}>
    ${s.map(o=>{let[a,i]=Array.isArray(o)?o:[o,o];return r`<option key=${a} value=${a}>${i}</option>`})}
  </select></label>`}function Ft({label:e,value:t,set:n}){return r`<label class="field row-field"><input type="checkbox" checked=${t} onChange=${s=>n(s.target.checked)} /> ${e}</label>`}
function pn({label:e,names:t,set:n,known:s,hint:o}){let[a,i]=g(""),l=()=>{let c=a.trim();c&&!t.includes(c)&&n([...t,c]),i("")};return r`<fieldset class="names"><legend>${e}</legend>
    ${t.length?r`<span class="tags">${t.map(c=>r`<span class="tag" key=${c}>${c}
      <button type="button" class="quiet" aria-label=${`Remove ${c}`} onClick=${()=>n(t.filter(u=>u!==c))}>✕</button></span>`)}</span>`:null}
    <div class="names-add" onKeyDown=${c=>{c.key==="Enter"&&(c.preventDefault(),l())}}>
      <${V} label=${`Add to ${e.toLowerCase()}`} value=${a} set=${i} list=${s.filter(c=>!t.includes(c))} hint=${o} />
      <button type="button" disabled=${!a.trim()} onClick=${l}>Add</button></div></fieldset>`}function Re({before:e,after:t}){let n=b(()=>qs(fn(e,t).lines),[e,t]);
return e===t?r`<p class="empty">Nothing changes.</p>`:r`<div class="diff" role="group" aria-label="Changes" tabindex="0">${n.map(s=>s.kind==="skip"?r`<div class="same">... ${s.
count} the same</div>`:r`<div class=${s.kind}>${{add:"+ ",del:"- ",same:"  "}[s.kind]}${s.text}</div>`)}</div>`}function hn(e,t){T(()=>(Se.value=e?`${t} has cha\
nges that are not saved.`:"",()=>{Se.value=""}),[e])}async function Qe(e,t,n){let s=null;try{s=await ne(e)}catch{return!0}let o=Array.isArray(s)?s[0]?.ModifyIndex:
s?.ModifyIndex;return o===void 0||o===t.ModifyIndex?!0:Te({title:`${n} was changed meanwhile`,danger:!0,confirm:"Overwrite it",body:r`<p>Somebody has changed it since you began (index ${t.
ModifyIndex} then, ${o} now). Saving overwrites that.</p><${Re} before=${JSON.stringify(Array.isArray(s)?s[0]:s,null,2)} after=${JSON.stringify(t,null,2)} />`})}
function Vs({initial:e,what:t,save:n,close:s}){let o=b(()=>e,[]),a=b(()=>JSON.stringify(Be(o),null,2),[]),[i,l]=g(a),{data:c,problem:u}=b(()=>Sr(i),[i]);return hn(
i!==a,t),r`<form class="card" onSubmit=${async $=>{$.preventDefault(),c&&await n(Cs(c,o),a,JSON.stringify(c,null,2))&&(Se.value="",s())}}>
    <label class="field wide-field"><span>${t} as JSON</span>
      <textarea class="code" rows="18" spellcheck=${!1} value=${i} aria-invalid=${u!==""} onInput=${$=>l($.target.value)}></textarea></label>
    <p class="hint" role="status">${u||(Is(o)?`What is ${As} stays as it is unless you write something else.`:"Valid JSON.")}</p>
    <div class="buttons"><button type="button" onClick=${s}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${u!==""}>Review and save</button></div></form>`}function Jo(){let[e,t]=g(void 0),n=E.value;return T(
()=>{let s=!1;return ne("acl/token/self").then(o=>{s||t(o)},()=>{s||t(null)}),()=>{s=!0}},[n,M.value.dc]),e}function it(e){let[t,n]=g([]);return T(()=>{let s=!1;
return ne(e).then(o=>{s||n(o??[])},()=>{}),()=>{s=!0}},[e]),t}function Hs(e,t){return Ee.value!==!1?null:r`<${I} view=${e} title=${t}><${N}>Access control is off in this datacenter: everybody may do everything, and there are no tokens, policies, roles or methods.<//><//>`}
function Ve({view:e,links:t}){return t?.length?r`<span class="tags">${t.map(({ID:n,Name:s})=>r`<a class="tag" key=${n??s} href=${m(e,[n||s||""])}>${s||n}</a>`)}</span>`:
null}function je(e){return{services:(e.ServiceIdentities??[]).map(t=>t.ServiceName+(t.Datacenters?.length?`@${t.Datacenters.join(",")}`:"")),nodes:(e.NodeIdentities??
[]).map(t=>`${t.NodeName}@${t.Datacenter}`)}}function pu(e,t,n){return{ServiceIdentities:e.map(s=>{let[o="",a]=s.split("@");return a?{ServiceName:o,Datacenters:a.
split(",")}:{ServiceName:o}}),NodeIdentities:t.map(s=>({NodeName:s.split("@")[0]??"",Datacenter:s.split("@")[1]||n}))}}function Gn({at:e}){return e?e<Date.now()?
r`<span class="status s3"><i aria-hidden="true"></i>expired <${Xe} at=${e} /></span>`:r`<${hu} at=${e} />`:r`<span class="dim">never</span>`}function hu({at:e}){
return r`<time dateTime=${new Date(e).toISOString()} title=${new Date(e).toLocaleString()}>in ${Le(Math.max(0,e-ze.value))}</time>`}function Js({text:e,what:t}){
let[n,s]=g(!1);return r`<span class="secret"><code>${n?e:"••••••••"}</code>
    <button type="button" class="quiet" aria-pressed=${n} onClick=${()=>s(!n)}>${n?"Hide":`Show ${t}`}</button></span>`}function li(){let e=ee(null);return{ref:e,
jump:n=>{let s=e.current;if(!s)return;let o=s.value.split(`
`),a=o.slice(0,n-1).reduce((i,l)=>i+l.length+1,0);s.focus(),s.setSelectionRange(a,a+(o[n-1]?.length??0)),s.scrollTop=Math.max(0,(n-4)*20)}}}function mn(e){let t=n=>(n??
[]).map(s=>s.Name||s.ID||"");return{policies:t(e.Policies),roles:t(e.Roles),...je(e)}}function vn(e,t){let n=s=>s.map(o=>({Name:o}));return{Policies:n(e.policies),
Roles:n(e.roles),...pu(e.services,e.nodes,t)}}function Gs({grants:e,set:t,ofRole:n=!1}){let s=c=>c.map(u=>u.Name??u.Node),o=s(it("acl/policies")),a=s(it("acl/ro\
les")),i=it("internal/ui/services").map(c=>c.Name),l=s(it("catalog/nodes"));return r`
    <${pn} label="Policies" names=${e.policies} set=${c=>t({...e,policies:c})} known=${o} />
    ${n?null:r`<${pn} label="Roles" names=${e.roles} set=${c=>t({...e,roles:c})} known=${a} />`}
    <${pn} label="Service identities" names=${e.services} set=${c=>t({...e,services:c})} known=${i}
      hint="A service's name; web@dc1,dc2 for these datacenters only" />
    <${pn} label="Node identities" names=${e.nodes} set=${c=>t({...e,nodes:c})} known=${l} hint="name@datacenter" />`}var q,lt=A(()=>{G();jo();ge();he();Oe();Q();
fe();Ze();we();$e();q={Resource:"acl",Access:"write"}});var ui={};De(ui,{default:()=>ci});function ci({rest:e}){return e?r`<${gu} id=${e} />`:r`<${vu} />`}function vu(){let e=O("query").value,t=b(()=>e.data??[],[e.data]),
n=[{id:"name",title:"Query",width:"minmax(8rem, 1fr)",by:gn,cell:s=>r`<a href=${m("queries",[s.ID])}>${gn(s)}</a>${yn(s)?r` <span class="badge">template</span>`:
null}`},{id:"service",title:"Service",width:"minmax(7rem, 1fr)",by:s=>s.Service.Service,cell:s=>yn(s)?r`<code>${s.Service.Service}</code>`:r`<a href=${m("servic\
es",[s.Service.Service])}>${s.Service.Service}</a>`},{id:"tags",title:"Tags",width:"minmax(5rem, 1fr)",wide:!0,cell:s=>r`<${Fe} tags=${s.Service.Tags} max=${4} />`},
{id:"failover",title:"Failover",width:"9rem",by:Go,cell:Go,wide:!0},{id:"near",title:"Near",width:"7rem",by:s=>s.Service.Near??"",cell:s=>s.Service.Near,wide:!0}];
return r`<${I} view="queries" title="Prepared queries" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${S} need=${Wt(null)} primary run=${()=>L(m("queries",["new"]))}>New query<//><${j} need=${Wt(null)} />`}>
    <${se} label="prepared queries" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.ID,s.Service.Service],service:s=>s.Service.Service,tag:s=>s.Service.Tags??[]}}
      empty="There are no prepared queries, or this token may see none." /><//>`}function gu({id:e}){let t=e==="new",n=O(t?"":`query/${encodeURIComponent(e)}`).
value,s=b(()=>W("edit"),[]),o=Array.isArray(n.data)?n.data[0]??null:null,a=n.data===null||n.error?.status===404,i=()=>{t?L(m("queries")):s.value=""},l=async(d,$,f)=>{
if(o&&!await Qe(`query/${o.ID}`,o,"The query"))return!1;let p=await U({method:o?"PUT":"POST",path:o?`query/${o.ID}`:"query",body:d,shown:Be(d),done:"The query i\
s saved.",question:{title:o?`Save ${gn(o)}`:`Make query ${d.Name??""}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return p&&t&&setTimeout(()=>L(
m("queries",[p.data.ID]))),p!==null},c=async()=>{if(!o)return;await U({method:"DELETE",path:`query/${o.ID}`,done:`${gn(o)} is deleted.`,question:{title:`Delete \
query ${gn(o)}`,danger:!0,confirm:"Delete",body:r`<p>Who asks for it, also by DNS, gets nothing any more.</p>`}})&&L(m("queries"))},u=o&&r`${s.value?null:r`<${S} need=${Wt(
o)} run=${()=>{s.value="1"}}>Edit<//>`}<${S} need=${Wt(o)} danger run=${()=>void c()}>Delete<//><${j} need=${Wt(o)} />`;return r`
    <${I} view="query" title=${t?"New query":o?gn(o):"Query"} crumbs=${[["Prepared queries",m("queries")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${u}>
      ${a?r`<${N}>There is no such query, or this token may not see it.<//>`:null}
      ${(t||o&&s.value)&&re(Wt(o))?r`<${Vs} what="The query" initial=${t?mu:ke(o,["CreateIndex","ModifyIndex"])} save=${l} close=${i} />`:t?r`<${j} need=${Wt(null)} />`:
null}
      ${o?r`
        <${w} title="Definition"><${K} pairs=${[["ID",r`<code>${o.ID}</code> <${R} text=${o.ID} />`],["Template",yn(o)?r`${o.Template?.Type} <code>${o.Template?.
Regexp}</code>`:null],["Service",yn(o)?r`<code>${o.Service.Service}</code>`:r`<a href=${m("services",[o.Service.Service])}>${o.Service.Service}</a>`],["Tags",o.
Service.Tags?.length?r`<${Fe} tags=${o.Service.Tags} />`:null],["Only passing",o.Service.OnlyPassing?"yes":"no: also those that warn"],["Near",o.Service.Near],[
"Failover",Go(o)],["DNS TTL",o.DNS?.TTL],["Session",o.Session&&r`<a href=${m("sessions",[o.Session])}>${o.Session}</a>`]]} /><${ue} data=${Be(o)} /><//>
        <${yu} query=${o} />`:null}
    <//>`}function yu({query:e}){let t=yn(e),[n,s]=g(e.Name),[o,a]=g(""),[i,l]=g(null),c=it("catalog/nodes").map(h=>h.Node),u=t?n:e.Name||e.ID,d={near:o||void 0},
$=h=>`query/${encodeURIComponent(u)}/${h}`,f=h=>{ne($(h),{params:h==="execute"?d:{}}).then(k=>l({[h]:k}),k=>l({error:k.status===404?"No query answers to that na\
me.":k.message}))},{domain:p,port:v}=Es(Y("agent/self",6e5).value.data),y=u&&/^[\w.-]+$/.test(u)?`${u}.query.${X.value?`${X.value}.`:""}${p}`:"";return r`<${w} title="Try it">
    <form onSubmit=${h=>{h.preventDefault(),f("execute")}}>
      <div class="ask-line">
        ${t?r`<${V} label="Name that is asked for" value=${n} set=${s} placeholder=${e.Name} hint="The template answers to all names that begin with its own" />`:
null}
        <${V} label="Near" value=${o} set=${a} list=${["_agent",...c]} placeholder="as the query says" /></div>
      <div class="buttons left"><button type="submit" class="primary" disabled=${!u}>Execute</button><button type="button" disabled=${!u} onClick=${()=>f("expla\
in")}>Explain</button></div>
    </form>
    <div role="status">${i?.error?r`<p class="note bad">${i.error}</p>`:null}
      ${i?.explain?r`<p>What it becomes for <b>${u}</b>:</p><${R} text=${JSON.stringify(i.explain.Query??i.explain,null,2)} block />`:null}
      ${i?.execute?r`<${bu} found=${i.execute} />`:null}</div>
    ${y?r`<${R} text=${`dig @${location.hostname||"127.0.0.1"} -p ${v} ${y} SRV`} block />`:null}
    <${R} text=${ve("GET",be($("execute"),d))} block />
  <//>`}function bu({found:e}){let t=n=>["critical","warning","passing"].find(s=>n.some(o=>o.Status===s))??"passing";return r`<p>${x(e.Nodes?.length??0,"instanc\
e")} of <b>${e.Service}</b> in <b>${e.Datacenter}</b>${e.Failovers?`, after ${x(e.Failovers,"failover")}`:""}.</p>
    ${e.Nodes?.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Instances found"><table class="plain"><thead><tr><th>Node</th><th>Address</th><th>Instance</th><th>Checks</th></tr></thead><tbody>
    ${e.Nodes.map(n=>r`<tr key=${`${n.Node.Node} ${n.Service.ID}`}><td><a href=${m("nodes",[n.Node.Node])}>${n.Node.Node}</a></td><td><code>${n.Service.Address||
n.Node.Address}:${n.Service.Port}</code></td>
      <td>${n.Service.ID}</td><td><${B} status=${t(n.Checks??[])} /></td></tr>`)}</tbody></table></div>`:null}<${ue} data=${e} />`}var mu,Wt,yn,Go,gn,di=A(()=>{
G();ge();Ne();Q();Oe();he();Ze();we();$e();lt();We();mu={Name:"",Service:{Service:"",OnlyPassing:!0,Tags:[],Failover:{NearestN:0,Datacenters:[]}},DNS:{TTL:""}},
Wt=e=>({Resource:"query",Access:"write",Segment:e?.Name??""}),yn=e=>!!e.Template?.Type,Go=({Service:{Failover:e}})=>[e?.NearestN?`nearest ${e.NearestN}`:"",...e?.
Datacenters??[]].filter(Boolean).join(", "),gn=e=>e.Name||(yn(e)?"(all names)":Pe(e.ID))});var hi={};De(hi,{default:()=>pi});function pi({rest:e}){return e?r`<${xu} id=${e} />`:r`<${ku} />`}function zo({action:e}){return r`<${B} status=${e==="allow"?"\
passing":e==="deny"?"critical":"warning"} text=${{allow:"allowed",deny:"denied"}[e]??"by request"} />`}function ku(){let e=O("connect/intentions").value,t=e.error?.
status===404,n=b(()=>e.data??[],[e.data]),s=a=>`${a.SourceName} to ${a.DestinationName}`,o=[{id:"source",title:"Source",width:"minmax(6rem, 1fr)",by:a=>a.SourceName,
cell:a=>r`<a href=${m("intentions",[a.ID])} title=${s(a)}>${a.SourceName==="*"?"* (every service)":a.SourceName}</a>`},{id:"action",title:"May",width:"6rem",by:a=>a.
Action,cell:a=>r`<${zo} action=${a.Action} />`},{id:"destination",title:"Destination",width:"minmax(6rem, 1fr)",by:a=>a.DestinationName,cell:a=>wu(a.DestinationName)},
{id:"precedence",title:"Precedence",width:"7rem",by:a=>-a.Precedence,cell:a=>a.Precedence,wide:!0},{id:"description",title:"Description",width:"minmax(8rem, 2fr\
)",by:a=>a.Description??"",cell:a=>a.Description,wide:!0}];return t?r`<${I} view="intentions" title="Intentions"><${N}>This agent has no intentions: it has no service mesh yet, so every service may connect to every other. They appear here as soon as it has.<//><//>`:
r`<${I} view="intentions" title="Intentions" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${S} need=${fi} primary run=${()=>L(m("intentions",["new"]))}>New intention<//><${j} need=${fi} />`}>
    <${_u} />
    <${se} label="intentions" rows=${n} rowKey=${a=>a.ID||s(a)} columns=${o} order="precedence" stamp=${a=>String(a.ModifyIndex)}
      fields=${{"":a=>[a.SourceName,a.DestinationName,a.Description??""],source:a=>a.SourceName,destination:a=>a.DestinationName,action:a=>a.Action}}
      quick=${[["action:allow","allowed"],["action:deny","denied"]]} empty="There are no intentions: the default policy of access control decides." /><//>`}function _u(){
let[e,t]=g(""),[n,s]=g(""),[o,a]=g(""),i=it("internal/ui/services").map(c=>c.Name);return r`<form class="ask-line card" onSubmit=${c=>{c.preventDefault(),ne("co\
nnect/intentions/check",{params:{source:e,destination:n}}).then(u=>a(u.Allowed?"allow":"deny"),u=>a(u.message))}}>
    <${V} label="May this service" value=${e} set=${c=>{t(c),a("")}} list=${i} />
    <${V} label="call this one" value=${n} set=${c=>{s(c),a("")}} list=${i} />
    <div class="ask-end"><button type="submit" disabled=${!e||!n}>Check</button> <span role="status" data-verdict>${/^(allow|deny)$/.test(o)?r`<${zo} action=${o} />`:
o}</span></div></form>`}function xu({id:e}){let t=e==="new",n=O(t?"":`connect/intentions/${encodeURIComponent(e)}`).value,s=b(()=>W("edit"),[]),o=n.data??null,a=n.
data===null||n.error?.status===404,i=$i(o?.DestinationName??""),l=()=>{t?L(m("intentions")):s.value=""},c=o?`${o.SourceName} to ${o.DestinationName}`:"",u=async()=>{
await U({method:"DELETE",path:`connect/intentions/${encodeURIComponent(e)}`,done:`The intention ${c} is deleted.`,question:{title:`Delete the intention ${c}`,danger:!0,
confirm:"Delete",body:r`<p>Another intention that is about both, or else the default policy, decides then. Connections that are open stay.</p>`}})&&L(m("intenti\
ons"))},d=!o?.Permissions?.length,$=o&&r`${s.value||!d?null:r`<${S} need=${i} run=${()=>{s.value="1"}}>Edit<//>`}<${S} need=${i} danger run=${()=>void u()}>Delete<//><${j} need=${i} />`;
return r`
    <${I} view="intention" title=${t?"New intention":c||"Intention"} crumbs=${[["Intentions",m("intentions")]]} ready=${t||n.data!==void 0||n.error!==null} live=${a?
void 0:n} actions=${$}>
      ${a?r`<${N}>There is no such intention any more, or this agent has none at all.<//>`:null}
      ${(t||o&&s.value)&&re(i)?r`<${Su} intention=${o} close=${l} />`:t?r`<${j} need=${i} />`:null}
      ${o?r`<${w} title="Intention"><${K} pairs=${[["Source",o.SourceName==="*"?"every service":r`<a href=${m("services",[o.SourceName])}>${o.SourceName}</a>`],
["Destination",o.DestinationName==="*"?"every service":r`<a href=${m("services",[o.DestinationName])}>${o.DestinationName}</a>`],["May",r`<${zo} action=${o.Action} />`],
["Description",o.Description],["Precedence",`${o.Precedence}: the highest that is about both decides`],["Meta",o.Meta&&Object.entries(o.Meta).map(([f,p])=>`${f}\
=${p}`).join(", ")],["Changed",Date.parse(o.UpdatedAt??"")>0?r`<${Xe} at=${Date.parse(o.UpdatedAt??"")} />`:null]]} />${d?null:r`<p class="note">It decides by request. Such permissions are edited as a config entry.</p>`}<${ue} data=${o} /><//>`:
null}
    <//>`}function Su({intention:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.SourceName??""),[a,i]=g(n?.DestinationName??""),[l,c]=g(n?.Action||"allow"),[u,d]=g(n?.
Description??""),$=["*",...it("internal/ui/services").map(y=>y.Name)],f=y=>`Source: ${y.SourceName}
Destination: ${y.DestinationName}
Action: ${y.Action}
Description: ${y.Description??""}`,p={SourceName:s,DestinationName:a,SourceType:"consul",Action:l,Description:u};return r`<form class="card" onSubmit=${async y=>{
y.preventDefault();let h=n?`connect/intentions/${n.ID}`:"connect/intentions";if(n&&!await Qe(h,n,"The intention"))return;await U({method:n?"PUT":"POST",path:h,body:n?
{...ke(n,["CreateIndex","ModifyIndex","CreatedAt","UpdatedAt","Precedence","Hash"]),...p}:p,done:"The intention is saved.",question:{title:`${s} ${l==="allow"?"\
may":"may not"} call ${a}`,confirm:"Save",body:r`<p>New connections are decided by it at once. Connections that are open stay.</p><${Re} before=${n?f(n):""} after=${f(
p)} />`}})&&t()}}>
    <${V} label="Source" value=${s} set=${o} list=${$} required hint="A service's name; * is every service" disabled=${n!==null} />
    <${V} label="Destination" value=${a} set=${i} list=${$} required disabled=${n!==null} />
    <${Ce} label="May it connect" value=${l} set=${c} options=${[["allow","allow"],["deny","deny"]]} />
    <${V} label="Description" value=${u} set=${d} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||!a||n!==null&&f(n)===f(p)}>Review and save</button></div></form>`}var $i,fi,wu,mi=A(()=>{
G();ge();Ne();Q();Oe();Ze();we();$e();lt();We();$i=e=>({Resource:"intention",Access:"write",Segment:e}),fi=$i("");wu=e=>e==="*"?r`<span class="badge" title="every service">*</span>`:
e});function Xn(e){return e==="key"?["deny","read","list","write"]:["deny","read","write"]}function Tu(e){let t=[];for(let n of e.matchAll(Nu)){let[s,o,,a,i,l,c,u,d]=n,
$=n.index;o===void 0&&(a!==void 0?t.push({kind:"text",text:`${i}
`,at:$}):l!==void 0?t.push({kind:"text",text:Du(l),at:$}):c!==void 0?t.push({kind:"word",text:c,at:$}):u!==void 0?t.push({kind:"number",text:u,at:$}):t.push({kind:d===
void 0?"bad":"mark",text:s,at:$}))}return t.push({kind:"end",text:"the end",at:e.length}),t}function Du(e){try{return JSON.parse(`"${e}"`)}catch{return e}}function Cu(e){
let t=[0];for(let n=e.indexOf(`
`);n>=0;n=e.indexOf(`
`,n+1))t.push(n+1);return n=>{let[s,o]=[0,t.length-1];for(;s<o;){let a=Math.ceil((s+o)/2);(t[a]??0)<=n?s=a:o=a-1}return[s+1,n-(t[s]??0)+1]}}function bn(e,t){let n=[],
s=[],o=Cu(e),a=(u,d,$=!0)=>{let[f,p]=o(u);s.push({line:f,column:p,text:d,error:$})},i;try{let u=new Yo(e);if(u.has("{")){i=u.value().entries;let d=u.peek();if(d.
kind!=="end")throw new qe(d.at,`${d.text} cannot stand after the closing brace.`)}else i=u.entries(!0)}catch(u){if(!(u instanceof qe))throw u;return a(u.at,u.message),
{rules:n,problems:s}}let l=new Map(i.map(u=>[(u.keys[0]?.text??"").toLowerCase(),u]));for(let u of i){let d=(u.keys[0]?.text??"").toLowerCase();if(ct.includes(d)&&
u.value.kind==="text"&&l.get(d)!==u){a(u.value.at,`${d} is said again below: that counts.`,!1);continue}for(let $ of Au(u,a))n.push({...$,line:o($.line)[0],source:t})}
let c=new Map;for(let u of n){let d=`${u.resource}
${u.prefix}
${u.name}`,$=c.get(d);$?s.push({line:u.line,column:1,error:!1,text:`Line ${$.line} is about the same name: deny counts, else the one that grants more.`}):c.set(
d,u)}return{rules:n,problems:s}}function Au({keys:e,value:t},n){let s=e[0],o=s.text.toLowerCase(),a=o.endsWith("_prefix"),i=a?o.slice(0,-7):o;if(ct.includes(o))
return e.length>1||t.kind!=="text"?(n(s.at,`${o} has no names: write ${o} = "read".`),[]):t.text===""?[]:Zo(o,t,n)?[{resource:o,prefix:!1,name:"",level:t.text.toLowerCase(),
line:s.at}]:[];if(!zn.includes(i)){let c=Iu(o);return n(s.at,`${s.text} is no resource: Consul ignores it.${c?` Is ${c} meant?`:""}`,!1),[]}if(e.length>2)return n(
s.at,`A rule has one name, this one has ${e.length-1}.`),[];let l=e[1];return l?bi(i,a,l,t,n):t.kind==="object"||t.kind==="list"?yi(i,a,s,t,n):(n(s.at,`${o} nee\
ds a name and a block: ${o} "name" { policy = "${t.text}" }.`),[])}function yi(e,t,n,s,o){if(s.kind==="list")return s.items.flatMap(i=>yi(e,t,n,i,o));let a=[];for(let{
keys:[i],value:l}of s.entries){let c=l.kind==="list"?l.items:[l];if(c.some(u=>u.kind!=="object"))return o(n.at,`${n.text} has no name: write ${n.text} "name" { \
policy = "..." }.`),[];for(let u of c)a.push(...bi(e,t,i,u,o))}return a}function bi(e,t,n,s,o){let a={};for(let{keys:[l],value:c}of s.entries){let u=(l?.text??"").
toLowerCase();u==="policy"||u==="intentions"&&e==="service"?a[u]=c:o(l?.at??n.at,u==="sentinel"?"Sentinel is of the enterprise edition: ignored.":`${u} is no fi\
eld of a rule: ignored.`,!1)}if(!a.policy)return o(n.at,`The rule for "${n.text}" says nothing: policy is missing.`),[];let i=Zo(e,a.policy,o);return a.intentions&&
a.intentions.text!==""&&!Zo("intentions",a.intentions,o)?[]:i?[{resource:e,prefix:t,name:n.text,level:a.policy.text.toLowerCase(),intentions:a.intentions?.text.
toLowerCase()||void 0,line:n.at}]:[]}function Zo(e,t,n){let s=Xn(e);if(t.kind==="text"&&s.includes(t.text.toLowerCase()))return!0;let o=t.text.toLowerCase()==="\
list"?" (list is for keys only)":"";return n(t.at,`"${t.text}" is no level${o}: ${s.slice(0,-1).join(", ")} or ${s.at(-1)}.`),!1}function Iu(e){let s=[...ct,...zn,
...zn.map(o=>`${o}_prefix`)].map(o=>[Eu(e,o),o]).sort(([o],[a])=>o-a)[0];return s&&s[0]<=2?s[1]:""}function Eu(e,t){let n=Array.from({length:t.length+1},(s,o)=>o);
for(let s=1;s<=e.length;s+=1){let o=[s];for(let a=1;a<=t.length;a+=1)o[a]=Math.min((n[a]??0)+1,(o[a-1]??0)+1,(n[a-1]??0)+(e[s-1]===t[a-1]?0:1));n=o}return n[t.length]??
0}function wn({resource:e,prefix:t,name:n,level:s,intentions:o}){if(ct.includes(e))return`${e} = "${s}"`;let a=o?` intentions = "${o}"`:"";return`${e}${t?"_pref\
ix":""} ${JSON.stringify(n)} { policy = "${s}"${a} }`}function wi(e){let t=`service identity ${e}`;return[{resource:"service",prefix:!1,name:e,level:"write",line:0,
source:t},{resource:"service",prefix:!1,name:`${e}-sidecar-proxy`,level:"write",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t},
{resource:"node",prefix:!0,name:"",level:"read",line:0,source:t}]}function ki(e){let t=`node identity ${e}`;return[{resource:"node",prefix:!1,name:e,level:"writ\
e",line:0,source:t},{resource:"service",prefix:!0,name:"",level:"read",line:0,source:t}]}function Xo(e,t){return t!=="intention"?e.level:e.intentions??(e.level===
"deny"?"deny":"read")}function _i(e,t,n,s){let o=t==="intention"?"service":t,a=e.filter($=>$.resource===o&&(ct.includes(o)||($.prefix?n.startsWith($.name):$.name===
n))),i=$=>$.prefix?$.name.length:1/0;a.sort(($,f)=>{let[p,v]=[i($),i(f)];return p===v?vi.indexOf(Xo(f,t))-vi.indexOf(Xo($,t)):v-p});let[l=null,...c]=a;if(!l)return{
rule:l,allow:null,others:c};let u=Xo(l,t);return{rule:l,allow:{read:["read","list","write"],list:["list","write"],write:["write"]}[s]?.includes(u)??!1,others:c}}
var ct,zn,gi,vi,Nu,qe,Yo,Qo=A(()=>{ct=["acl","keyring","operator","mesh","peering"],zn=["agent","event","key","node","query","service","session"],gi=["acl","age\
nt","event","intention","key","keyring","node","operator","query","service","session"],vi=["read","list","write","deny"];Nu=/(\s+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|<<(-?)(\w+)\n([^]*?)\n[ \t]*\3(?=\n|$)|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w.-]*)|(-?\d[\w.+-]*)|([{}[\]=:,])|([^])/gy;
qe=class extends Error{constructor(t,n){super(n),this.at=t}},Yo=class{constructor(t){this.tokens=Tu(t),this.next=0}peek(){return this.tokens[this.next]}take(){let t=this.
peek();return t.kind!=="end"&&(this.next+=1),t}has(t){let n=this.peek();return n.kind==="mark"&&n.text===t}entries(t){let n=[];for(;;){for(;this.has(",");)this.
take();let s=this.peek();if(this.has("}")&&!t)return this.take(),n;if(s.kind==="end"){if(t)return n;throw new qe(s.at,"A closing brace } is missing at the end.")}
n.push(this.entry())}}entry(){let t=[];for(;;){let n=this.peek();if(n.kind==="word"||n.kind==="text")t.push(this.take());else if(t.length&&(this.has("=")||this.
has(":"))){if(t.length>1)throw new qe(n.at,`${t.map(s=>s.text).join(" ")} is followed by a block { policy = "..." }, without =.`);return this.take(),{keys:t,assigned:!0,
value:this.value()}}else{if(t.length&&this.has("{"))return{keys:t,assigned:!1,value:this.value()};throw n.kind==="bad"&&n.text==='"'?new qe(n.at,"This text has \
no closing quote."):t.length?new qe(n.at,`${n.text} cannot stand here: after ${t.at(-1)?.text} a block { or = is expected.`):new qe(n.at,`${n.text} cannot stand\
 here: a resource like key_prefix is expected.`)}}}value(){let t=this.take(),n={kind:"other",text:t.text,items:[],entries:[],at:t.at};if(t.kind==="text")return{
...n,kind:"text"};if(t.kind==="number"||t.kind==="word"&&/^(true|false|null)$/.test(t.text))return n;if(t.kind==="mark"&&t.text==="{")return{...n,kind:"object",
entries:this.entries(!1)};if(t.kind==="mark"&&t.text==="["){for(;!this.has("]");){if(this.peek().kind==="end")throw new qe(t.at,"This list has no closing bracke\
t ].");this.has(",")?this.take():n.items.push(this.value())}return this.take(),{...n,kind:"list"}}throw t.kind==="word"?new qe(t.at,`${t.text} must be in quotes\
.`):t.kind==="bad"&&t.text==='"'?new qe(t.at,"This text has no closing quote."):new qe(t.at,`${t.text} cannot stand here: a value is expected.`)}}});var Ci={};De(Ci,{default:()=>Ni});function Ni({rest:e}){let t=Hs("tokens","Tokens");return t||(e==="new"?r`<${qu} />`:e?r`<${Mu} id=${e} />`:r`<${Ou} />`)}function Ti({
token:{CreateTime:e}}){let t=Date.parse(e);return t>0?r`<${Xe} at=${t} />`:r`<span class="dim">not known</span>`}function Ou(){let e=O("acl/tokens").value,t=Jo(),
[n,s]=g(new Set),o=b(()=>e.data??[],[e.data]),a=l=>l.Description||Pe(l.AccessorID),i=[{id:"description",title:"Token",width:"minmax(9rem, 2fr)",by:a,cell:l=>r`<a href=${m(
"tokens",[l.AccessorID])} title=${a(l)}>${a(l)}</a>${l.AccessorID===t?.AccessorID?r` <span class="badge">yours</span>`:null}`},{id:"accessor",title:"Accessor",width:"\
6rem",by:l=>l.AccessorID,cell:l=>r`<code title=${l.AccessorID}>${Pe(l.AccessorID)}</code>`,wide:!0},{id:"grants",title:"Policies and roles",width:"minmax(8rem, \
2fr)",by:l=>xi(l).join(" "),wide:!0,cell:l=>r`<${Ve} view="policies" links=${l.Policies} /> <${Ve} view="roles" links=${l.Roles} />${je(l).services.map(c=>r` <span class="badge" title="service identity">${c}</span>`)}${je(
l).nodes.map(c=>r` <span class="badge" title="node identity">${c}</span>`)}`},{id:"marks",title:"Kind",width:"6rem",by:l=>ea(l).join(" "),wide:!0,cell:l=>ea(l).
map(c=>r`<span class="badge">${c}</span> `)},{id:"created",title:"Created",width:"8rem",by:l=>-Date.parse(l.CreateTime),cell:l=>r`<${Ti} token=${l} />`,wide:!0},
{id:"expires",title:"Expires",width:"8rem",by:l=>vt(l)||1/0,cell:l=>r`<${Gn} at=${vt(l)} />`}];return r`
    <${I} view="tokens" title="Tokens" ready=${e.data!==void 0||e.error!==null} live=${e}
        actions=${r`${n.size?r`<${S} need=${q} danger run=${()=>void Ru(o.filter(l=>n.has(l.AccessorID)),t?.AccessorID).then(l=>{l&&s(new Set)})}>Delete ${n.size}<//>`:
null}<${S} need=${q} primary run=${()=>L(m("tokens",["new"]))}>New token<//><${j} need=${q} />`}>
      <${se} label="tokens" rows=${o} rowKey=${l=>l.AccessorID} columns=${i} order="description"
        stamp=${l=>String(l.ModifyIndex)} picked=${n} onPick=${re(q)?s:void 0}
        fields=${{"":l=>[l.Description,l.AccessorID,...xi(l)],policy:l=>(l.Policies??[]).map(c=>c.Name??""),role:l=>(l.Roles??[]).map(c=>c.Name??""),is:ea,method:l=>l.
AuthMethod??""}}
        quick=${[["is:local","local"],["is:login","from a login"],["is:legacy","legacy"],["is:expired","expired"]]}
        empty="There are no tokens, or this token may see none." />
    <//>`}async function Ru(e,t){let n=e.filter(a=>a.AccessorID!==t&&a.AccessorID!==Si);if(!n.length)return P("Your own token and the anonymous one are not dele\
ted here.",!0),!1;if(!await Te({title:`Delete ${x(n.length,"token")}`,danger:!0,confirm:"Delete",typed:String(n.length),body:r`<p>Whoever uses one of them may do nothing more with it.${n.
length<e.length?" Your own token and the anonymous one stay.":""}</p><ul>${n.slice(0,20).map(a=>r`<li>${a.Description||a.AccessorID}</li>`)}${n.length>20?r`<li>and ${n.
length-20} more</li>`:null}</ul>`}))return!1;let o=0;for(let a of n)try{await te("DELETE",`acl/token/${a.AccessorID}`),o+=1}catch(i){P(`${a.Description||a.AccessorID}\
: ${i instanceof Error?i.message:i}`,!0)}return P(`${x(o,"token")} deleted.`),!0}function Mu({id:e}){let t=O(`acl/token/${encodeURIComponent(e)}`).value,n=Jo(),
s=b(()=>W("edit"),[]),o=t.data??null,a=o!==null&&o.AccessorID===n?.AccessorID,i=o?o.Description||`Token ${Pe(o.AccessorID)}`:`Token ${Pe(e)}`,l=o?.SecretID&&/^[^<]/.
test(o.SecretID)?o.SecretID:"",c=o&&r`
    ${l&&l!==E.value?r`<button type="button" onClick=${()=>Pu(l,i)}>Use it</button>`:null}
    ${s.value||o.Legacy?null:r`<${S} need=${q} run=${()=>{s.value="1"}}>Edit<//>`}
    ${o.Legacy?null:r`<${S} need=${q} run=${()=>void Uu(o,i)}>Clone<//>`}
    <${S} need=${q} danger run=${()=>void ju(o,i,a)}>Delete<//><${j} need=${q} />`;return r`
    <${I} view="token" title=${i} crumbs=${[["Tokens",m("tokens")]]} ready=${t.data!==void 0||t.error!==null} live=${t} actions=${c}>
      ${t.data===null?r`<${N}>There is no such token any more.<//>`:null}
      ${o&&s.value&&re(q)?r`<${Di} token=${o} close=${()=>{s.value=""}} />`:null}
      ${o?r`
        <${w} title="Token">
          <${K} pairs=${[["Accessor",r`<code>${o.AccessorID}</code> <${R} text=${o.AccessorID} />${a?r` <span class="badge">this is yours</span>`:null}`],["Secr\
et",l?r`<${Js} text=${l} what="the secret" /><${Lu} text=${l} />`:r`<span class="dim">shown to those who may write access control</span>`],["Policies",o.Policies&&
r`<${Ve} view="policies" links=${o.Policies} />`],["Roles",o.Roles&&r`<${Ve} view="roles" links=${o.Roles} />`],["Service identities",je(o).services.join(", ")],
["Node identities",je(o).nodes.join(", ")],["Scope",o.Local?`local: ${M.value.dc} only`:"global: all datacenters"],["From",o.AuthMethod&&r`a login by <a href=${m(
"methods",[o.AuthMethod])}>${o.AuthMethod}</a>`],["Created",r`<${Ti} token=${o} />`],["Expires",r`<${Gn} at=${vt(o)} />`],["Index",o.ModifyIndex]]} />
          ${o.Legacy?r`<p class="note warn">A legacy token of a release before 1.4. It can be upgraded by <code>consul acl token update -upgrade-legacy</code>.</p>`:
null}
          <${ue} data=${ke(o,["SecretID"])} />
        <//>
        <${Fu} token=${o} secret=${l||(a?E.value:"")} />`:null}
    <//>`}function Lu({text:e}){let[t,n]=g(!1);return r`<button type="button" class="quiet" onClick=${async()=>{await Mn(e),n(!0),setTimeout(()=>n(!1),1500)}}>${t?
"copied":"Copy the secret"}</button>`}async function Pu(e,t){await Te({title:"Use this token",confirm:"Use it",body:r`<p>From now on this page acts with <b>${t}</b>. ${E.
value?"The token in use now is forgotten here.":""}</p>`})&&(E.value=e,P(`${t} is in use.`))}async function Uu(e,t){let n=await U({method:"PUT",path:`acl/token/${e.
AccessorID}/clone`,body:{Description:`Clone of ${e.Description||e.AccessorID}`},done:"The token is cloned.",question:{title:`Clone ${t}`,confirm:"Clone",body:r`<p>A new token with the same policies, roles and identities, and a secret of its own.</p>`}});
n&&L(m("tokens",[n.data.AccessorID],{edit:"1"}))}async function ju(e,t,n){if(n){await Te({title:"This is your own token",confirm:"I see",body:r`<p>Deleting it would end what you are doing here. Use another token first, or log out if it came from a login.</p>`});
return}await U({method:"DELETE",path:`acl/token/${e.AccessorID}`,done:`${t} is deleted.`,question:{title:`Delete ${t}`,danger:!0,confirm:"Delete",body:r`<p>Whoever uses it may do nothing more with it. ${e.
AccessorID===Si?"It is the anonymous token: what comes without a token has its rights.":""}</p>`}})&&L(m("tokens"))}function qu(){return r`<${I} view="token" title="New token" crumbs=${[
["Tokens",m("tokens")]]}>
    ${re(q)?r`<${Di} token=${null} close=${()=>L(m("tokens"))} />`:r`<${N}>No token can be made here. <${j} need=${q} /><//>`}<//>`}function Di({token:e,close:t}){
let n=b(()=>e,[]),[s,o]=g(n?.Description??""),[a,i]=g(()=>mn(n??{})),[l,c]=g(!1),[u,d]=g(""),$=M.value.dc,f=u!==""&&!(ks(u)>0),p=JSON.stringify({Description:n?.
Description??"",...vn(mn(n??{}),$)},null,2),v=JSON.stringify({Description:s,...vn(a,$)},null,2);return hn(p!==v,"The token"),r`<form class="card" onSubmit=${async h=>{
h.preventDefault();let k={Description:s,...vn(a,$)},_=n?`acl/token/${n.AccessorID}`:"acl/token";if(n&&!await Qe(_,n,"The token"))return;let H=n?{...ke(n,["Secre\
tID","Hash","CreateIndex","ModifyIndex","CreateTime"]),...k}:{...k,Local:l,...u?{ExpirationTTL:u}:{}},xe=await U({method:"PUT",path:_,body:H,done:n?"The token i\
s saved.":"The token is made. Its secret is shown on request.",question:{title:n?"Save the token":"Make a token",confirm:n?"Save":"Create",body:r`<${Re} before=${n?
p:""} after=${v} />`}});xe&&(Se.value="",n?t():L(m("tokens",[xe.data.AccessorID])))}}>
    <${V} label="Description" value=${s} set=${o} />
    <${Gs} grants=${a} set=${i} />
    ${n?null:r`<${Ft} label=${`Local: of ${$} only`} value=${l} set=${c} />
      <${V} label="Expires after" value=${u} set=${d} placeholder="never" hint=${f?"This is no duration like 8h or 30m.":"Like 8h or 30m; it cannot be changed l\
ater"} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${f||n!==null&&p===v}>Review and ${n?"save":"create"}</button></div></form>`}async function Ku(e){
let t=[],n=[],s=new Map,o=a=>{for(let i of a.ServiceIdentities??[])t.push(...wi(i.ServiceName));for(let i of a.NodeIdentities??[])t.push(...ki(i.NodeName))};for(let a of e.
Policies??[])s.set(a.ID??"",a.Name??"");o(e);for(let a of e.Roles??[])try{let i=await ne(`acl/role/${a.ID}`);o(i);for(let l of i.Policies??[])s.set(l.ID,`${l.Name}\
 of role ${i.Name}`)}catch{n.push(`role ${a.Name}`)}return await Promise.all([...s].map(async([a,i])=>{try{t.push(...bn((await ne(`acl/policy/${a}`)).Rules??"",
i).rules)}catch{n.push(`policy ${i}`)}})),e.Rules&&t.push(...bn(e.Rules,"the token itself").rules.map(a=>({...a,prefix:!0}))),{rules:t,missing:n}}function Fu({token:e,
secret:t}){let[n,s]=g(null),o=b(()=>W("resource","key"),[]),a=b(()=>W("name"),[]),i=b(()=>W("access","read"),[]),[l,c]=g(null);T(()=>{Ku(e).then(s)},[e]);let u=`${o.
value}
${a.value}
${i.value}`,d=o.value==="key"?Xn("key").slice(1):["read","write"],$=!["acl","keyring","operator"].includes(o.value);T(()=>{let h=!1;c(null);let k=setTimeout(async()=>{
let _=await Wu(e,t,{Resource:o.value,Segment:$?a.value:"",Access:i.value});h||c(_)},250);return()=>{h=!0,clearTimeout(k)}},[u,t,e]);let{rule:f,others:p}=_i(n?.rules??
[],o.value,a.value,i.value),v=(n?.rules??[]).filter(h=>h!==f&&!p.includes(h)),y=(h,k)=>r`<tr key=${`${h.source} ${h.line} ${wn(h)}`}><td><code>${wn(h)}</code></td><td>${h.
source}</td><td>${k}</td></tr>`;return r`<${w} title="What may this token do">
    <div class="ask-line">
      <${Ce} label="Resource" value=${o.value} set=${h=>{o.value=h,h!=="key"&&i.value==="list"&&(i.value="read")}} options=${gi} />
      ${$?r`<${V} label=${o.value==="key"?"Key":"Name"} value=${a.value} set=${h=>{a.value=h}} />`:null}
      <${Ce} label="Access" value=${i.value} set=${h=>{i.value=h}} options=${d} />
    </div>
    <p role="status" data-may>${l===null?r`<span class="dim">Asking</span>`:l.error?r`<span class="dim">${l.error}</span>`:r`
      <${B} status=${l.allow?"passing":"critical"} text=${l.allow?"allowed":"denied"} />
      ${l.rule?r` by <code>${l.rule}</code>${l.policy?` of ${l.policy}`:""}`:f?r` by <code>${wn(f)}</code> of ${f.source}`:" by the default policy: no rule is a\
bout it"}
      ${l.needed?r`. It would need <code>${l.needed}</code>`:null}`}</p>
    ${n?.missing.length?r`<p class="note warn">Not readable with your token: ${n.missing.join(", ")}. Their rules are missing here.</p>`:null}
    ${n?.rules.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Rules"><table class="plain"><thead><tr><th>Rule</th><th>From</th><th>Effect</th></tr></thead><tbody>
      ${f?y(f,"decides"):null}${p.map(h=>y(h,"also about it"))}${v.slice(0,200).map(h=>y(h,""))}</tbody></table></div>
      ${v.length>200?r`<p class="hint">and ${v.length-200} more</p>`:null}`:n?r`<${N}>It has no rules: the default policy decides everything.<//>`:null}
  <//>`}async function Wu(e,t,n){if(_e)try{let s=await ne("internal/acl/explain",{params:{resource:n.Resource,segment:n.Segment,access:n.Access,accessor:e.AccessorID}});
return{allow:s.Allow,rule:s.Default?"":s.Rule,policy:s.Policy,needed:s.Needed}}catch{}if(!t)return{error:"The agent can be asked with the token's secret only, a\
nd your token may not see that. The rules below are what can be known."};try{let{data:s}=await te("POST","internal/acl/authorize",{secret:t,body:[n]});return{allow:s[0].
Allow===!0}}catch(s){return{error:s instanceof Error?s.message:String(s)}}}var Si,xi,ea,Ai=A(()=>{G();ge();Ne();Q();Oe();fe();he();Ze();Qo();we();$e();lt();We();
Si="00000000-0000-0000-0000-000000000002";xi=e=>[...e.Policies??[],...e.Roles??[]].map(t=>t.Name||t.ID||""),ea=e=>[e.Local?"local":"",e.Legacy?"legacy":"",e.AuthMethod?
"login":"",vt(e)&&vt(e)<Date.now()?"expired":""].filter(Boolean)});function Ii({name:e}){let t=b(()=>W("new"),[]);return e||t.value?r`<${Hu} name=${e} />`:r`<${Vu} />`}function Vu(){let e=O("acl/auth-methods").value,t=b(()=>e.data??
[],[e.data]),n=[{id:"name",title:"Method",width:"minmax(8rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${m("methods",[s.Name])}>${s.Name}</a>`},{id:"type",title:"Ty\
pe",width:"7rem",by:s=>s.Type,cell:s=>s.Type},{id:"display",title:"Shown as",width:"minmax(8rem, 1fr)",by:s=>s.DisplayName??"",cell:s=>s.DisplayName,wide:!0},{id:"\
description",title:"Description",width:"minmax(8rem, 2fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"ttl",title:"Tokens last",width:"7rem",cell:s=>s.
MaxTokenTTL&&s.MaxTokenTTL!=="0s"?s.MaxTokenTTL:"for ever",wide:!0}];return r`<${I} view="methods" title="Auth methods" ready=${e.data!==void 0||e.error!==null} live=${e}
      actions=${r`<${S} need=${q} primary run=${()=>L(m("methods","",{new:"1"}))}>New method<//><${j} need=${q} />`}>
    <${se} label="auth methods" rows=${t} rowKey=${s=>s.Name} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.DisplayName??"",s.Description],type:s=>s.Type}}
      empty="There are no auth methods: people and machines come with tokens." /><//>`}function Hu({name:e}){let t=e==="",n=O(t?"":`acl/auth-method/${encodeURIComponent(
e)}`).value,s=b(()=>W("edit"),[]),o=n.data??null,a=()=>{t?L(m("methods")):s.value=""},i=d=>ke(d,["CreateIndex","ModifyIndex"]),l=async(d,$,f)=>{let p=o?`acl/aut\
h-method/${encodeURIComponent(o.Name)}`:"acl/auth-method";if(o&&!await Qe(p,o,"The method"))return!1;let v=await U({method:"PUT",path:p,body:d,shown:Be(d),done:`\
Auth method ${d.Name} is saved.`,question:{title:`Save auth method ${d.Name}`,confirm:"Save",body:r`<${Re} before=${t?"":$} after=${f} />`}});return v&&t&&setTimeout(
()=>L(m("methods",[d.Name]))),v!==null},c=async()=>{await U({method:"DELETE",path:`acl/auth-method/${encodeURIComponent(e)}`,done:`Auth method ${e} is deleted.`,
question:{title:`Delete auth method ${e}`,danger:!0,confirm:"Delete",typed:e,body:r`<p>Its binding rules are deleted too, and so are <b>all tokens that came from logins by it</b>.</p>`}})&&
L(m("methods"))},u=o&&r`${s.value?null:r`<${S} need=${q} run=${()=>{s.value="1"}}>Edit<//>`}<${S} need=${q} danger run=${()=>void c()}>Delete<//><${j} need=${q} />`;
return r`
    <${I} view="method" title=${t?"New auth method":e} crumbs=${[["Auth methods",m("methods")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${u}>
      ${n.data===null?r`<${N}>There is no such auth method any more.<//>`:null}
      ${(t||o&&s.value)&&re(q)?r`<${Vs} what="The auth method" initial=${t?Bu:i(o)} save=${l} close=${a} />`:t?r`<${j} need=${q} />`:null}
      ${o?r`
        <${w} title="Method"><${K} pairs=${[["Type",o.Type],["Shown as",o.DisplayName],["Description",o.Description],["Tokens last",o.MaxTokenTTL&&o.MaxTokenTTL!==
"0s"?o.MaxTokenTTL:"for ever"],["Tokens are",o.TokenLocality==="global"?"global":"local"]]} />
        <h3>Configuration</h3><${R} text=${JSON.stringify(Be(o.Config??{}),null,2)} block />
        ${Is(o.Config)?r`<p class="hint">Secrets are covered.</p>`:null}<//>
        <${Ju} method=${o} />
        <${ue} data=${Be(o)} />`:null}
    <//>`}function Ju({method:e}){let t=O(`acl/binding-rules?authmethod=${encodeURIComponent(e.Name)}`).value,[n,s]=g(!1),o=t.data??[],a=i=>void U({method:"DELE\
TE",path:`acl/binding-rule/${i.ID}`,done:"The binding rule is deleted.",question:{title:"Delete a binding rule",danger:!0,confirm:"Delete",body:r`<p>Logins to which <code>${i.
Selector||"anything"}</code> applies no longer get ${i.BindType} <b>${i.BindName}</b>. Tokens that were made keep it until they expire.</p>`}});return r`<${w} title="Binding rules" actions=${n?
null:r`<${S} need=${q} run=${()=>s(!0)}>New binding rule<//>`}>
    ${n&&re(q)?r`<${Gu} method=${e.Name} close=${()=>s(!1)} />`:null}
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Binding rules"><table class="plain"><thead><tr><th>When</th><th>Gives</th><th>Description</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
      ${o.map(i=>r`<tr key=${i.ID}><td><code>${i.Selector||"always"}</code></td><td>${i.BindType} <b>${i.BindName}</b></td><td>${i.Description}</td><td><${S} need=${q} danger run=${()=>a(
i)}>Delete<//></td></tr>`)}</tbody></table></div>`:t.data!==void 0?r`<${N}>There are none: a login by this method gives nothing, and is refused.<//>`:null}<//>`}
function Gu({method:e,close:t}){let[n,s]=g("service"),[o,a]=g(""),[i,l]=g(""),[c,u]=g("");return r`<form onSubmit=${async $=>{$.preventDefault(),await U({method:"\
PUT",path:"acl/binding-rule",body:{AuthMethod:e,BindType:n,BindName:o,Selector:i,Description:c},done:"The binding rule is made.",question:{title:"Make a binding\
 rule",confirm:"Create",body:r`<p>A login by <b>${e}</b> to which <code>${i||"anything"}</code> applies gets ${n} <b>${o}</b>.</p>`}})&&t()}}>
    <${Ce} label="Gives" value=${n} set=${s} options=${[["service","a service identity"],["node","a node identity"],["role","a role"]]} />
    <${V} label="Its name" value=${o} set=${a} required hint="May hold variables like \${value.team}" />
    <${V} label="When (selector)" value=${i} set=${l} placeholder="always" hint='Like value.team == "dev"' />
    <${V} label="Description" value=${c} set=${u} />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${!o}>Review and create</button></div></form>`}
var Bu,Ei=A(()=>{G();Ne();Q();Oe();Ze();we();$e();lt();We();Bu={Name:"",Type:"jwt",DisplayName:"",Description:"",MaxTokenTTL:"8h",Config:{OIDCDiscoveryURL:"http\
s://",BoundAudiences:[],ClaimMappings:{}}}});var zs={};De(zs,{default:()=>Mi});function Mi({id:e,rest:t}){let n=Hs(e,{policies:"Policies",roles:"Roles"}[e]??"Auth methods");return n||(e==="methods"?r`<${Ii} name=${t} />`:
e==="roles"?t?r`<${td} id=${t} />`:r`<${ed} />`:t?r`<${Xu} id=${t} />`:r`<${zu} />`)}function Li({view:e,word:t}){return r`<${S} need=${q} primary run=${()=>L(m(
e,["new"]))}>New ${t}<//><${j} need=${q} />`}function zu(){let e=O("acl/policies").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Policy",width:"minmax\
(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${m("policies",[s.ID])}>${s.Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 2fr)",by:s=>s.Description,
cell:s=>s.Description,wide:!0},{id:"dcs",title:"Datacenters",width:"10rem",by:s=>(s.Datacenters??[]).join(" "),cell:s=>s.Datacenters?.length?r`<${Fe} tags=${s.Datacenters} max=${3} />`:
r`<span class="dim">all</span>`}];return r`<${I} view="policies" title="Policies" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Li} view="policies" word="policy" />`}>
    <${se} label="policies" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],dc:s=>s.Datacenters??[]}}
      empty="There are no policies, or this token may see none." /><//>`}function Pi({kind:e,id:t}){let n=O("acl/tokens").value,s=O(e==="Policies"?"acl/roles":"").
value,o=c=>(c[e]??[]).some(u=>u.ID===t),a=(n.data??[]).filter(o),i=(s.data??[]).filter(o),l=n.data!==void 0;return r`<${w} title="Used by">
    ${i.length?r`<h3>${x(i.length,"role")}</h3><${Ve} view="roles" links=${i} />`:null}
    ${a.length?r`<h3>${x(a.length,"token")}</h3><span class="tags">${a.slice(0,100).map(c=>r`
      <a class="tag" key=${c.AccessorID} href=${m("tokens",[c.AccessorID])}>${c.Description||c.AccessorID}</a>`)}</span>${a.length>100?r` <span class="hint">and ${a.
length-100} more</span>`:null}`:null}
    ${l&&!a.length&&!i.length?r`<${N}>${e==="Policies"?"No token or role has it.":"No token has it."}<//>`:null}<//>`}function Xu({id:e}){let t=e==="new",n=O(t?
"":`acl/policy/${encodeURIComponent(e)}`).value,s=b(()=>W("edit"),[]),o=n.data??null,a=o?.ID===Ri,i=o&&r`
    ${s.value?null:r`<${S} need=${q} run=${()=>{s.value="1"}}>Edit<//>`}
    ${a?null:r`<${S} need=${q} danger run=${()=>void Yu(o)}>Delete<//>`}<${j} need=${q} />`,l=()=>{t?L(m("policies")):s.value=""},{rules:c,problems:u}=b(()=>bn(
o?.Rules??""),[o?.Rules]);return r`
    <${I} view="policy" title=${t?"New policy":o?.Name??"Policy"} crumbs=${[["Policies",m("policies")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${N}>There is no such policy any more.<//>`:null}
      ${(t||o&&s.value)&&re(q)?r`<${Zu} policy=${o} close=${l} />`:t?r`<${j} need=${q} />`:null}
      ${o?r`
        <${w} title="Policy">
          <${K} pairs=${[["ID",r`<code>${o.ID}</code> <${R} text=${o.ID} />`],["Description",o.Description],["Datacenters",o.Datacenters?.length?o.Datacenters.join(
", "):"all"],["Index",o.ModifyIndex]]} />
        <//>
        ${s.value?null:r`<${w} title="Rules">
          ${o.Rules?r`<${R} text=${o.Rules} block />`:r`<${N}>It has no rules.<//>`}
          <${Ui} problems=${u} />
          ${c.length?r`<details><summary>${x(c.length,"rule")} one by one</summary><table class="plain"><thead><tr><th>Resource</th><th>Name</th><th>Level</th></tr></thead><tbody>
            ${c.map(d=>r`<tr><td>${d.resource}</td><td>${ct.includes(d.resource)?"":r`${d.prefix?"all that begin with ":""}<code>${JSON.stringify(d.name)}</code>`}</td><td>${d.
level}${d.intentions?`, intentions ${d.intentions}`:""}</td></tr>`)}</tbody></table></details>`:null}
        <//>`}
        <${Pi} kind="Policies" id=${o.ID} />
        <${ue} data=${o} />`:null}
    <//>`}async function Yu(e){await U({method:"DELETE",path:`acl/policy/${e.ID}`,done:`Policy ${e.Name} is deleted.`,question:{title:`Delete policy ${e.Name}`,
danger:!0,confirm:"Delete",typed:e.Name,body:r`<p>Tokens and roles that have it lose what it gives, at once.</p>`}})&&L(m("policies"))}function Ui({problems:e,jump:t}){
return r`<ul class="problems" aria-label="Remarks on the rules">${e.map(n=>r`<li class=${n.error?"s3":"s2"}>
    ${t?r`<button type="button" class="quiet" onClick=${()=>t(n.line)}>line ${n.line}</button>`:`line ${n.line}: `}${n.error?"":"Note: "}${n.text}</li>`)}</ul>`}
function Zu({policy:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.Name??""),[a,i]=g(n?.Description??""),[l,c]=g(n?.Datacenters??[]),[u,d]=g(n?.Rules??""),{problems:$}=b(
()=>bn(u),[u]),{ref:f,jump:p}=li(),v=n?.ID===Ri,y=Oi(n?.Name??"",n?.Description??"",n?.Datacenters??[],n?.Rules??""),h=Oi(s,a,l,u);hn(y!==h,"The policy");let k=s!==
""&&!/^[A-Za-z0-9\-_]{1,128}$/.test(s);return r`<form class="card" onSubmit=${async H=>{H.preventDefault();let xe=n?`acl/policy/${n.ID}`:"acl/policy";if(n&&!await Qe(
xe,n,"The policy"))return;let ye=await U({method:"PUT",path:xe,body:{...n?{ID:n.ID}:{},Name:s,Description:a,Rules:u,Datacenters:l},done:`Policy ${s} is saved.`,
question:{title:n?`Save policy ${s}`:`Make policy ${s}`,confirm:n?"Save":"Create",body:r`${$.some(He=>He.error)?r`<p class="note warn">This page thinks the agent will refuse these rules.</p>`:
null}<${Re} before=${n?y:""} after=${h} />`}});ye&&(Se.value="",n?t():L(m("policies",[ye.data.ID])))}}>
    <${V} label="Name" value=${s} set=${o} required disabled=${v} hint=${k?"Letters, digits, dashes and underscores only, at most 128.":void 0} />
    <${V} label="Description" value=${a} set=${i} disabled=${v} />
    <${pn} label="Datacenters" names=${l} set=${c} known=${[M.value.dc]} hint="None: all" />
    <label class="field wide-field"><span>Rules (HCL or JSON)</span>
      <textarea class="code" rows="14" spellcheck=${!1} ref=${f} value=${u} disabled=${v} aria-invalid=${$.some(H=>H.error)} onInput=${H=>d(H.target.value)}></textarea></label>
    <div role="status">${$.length?r`<${Ui} problems=${$} jump=${p} />`:r`<p class="hint">${u.trim()?"Nothing is wrong with these rules.":"No rules yet."}</p>`}</div>
    ${v?null:r`<${Qu} add=${H=>d(`${u}${u&&!u.endsWith(`
`)?`
`:""}${H}
`)} />`}
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||k||y===h}>Review and ${n?"save":"create"}</button></div></form>`}function Oi(e,t,n,s){return`\
Name: ${e}
Description: ${t}
Datacenters: ${n.join(", ")||"all"}
Rules:
${s}`}function Qu({add:e}){let[t,n]=g("key"),[s,o]=g(!0),[a,i]=g(""),[l,c]=g("read"),u=ct.includes(t),d=Xn(t),$=d.includes(l)?l:"read";return r`<fieldset class="names wide-field"><legend>Add a rule</legend><div class="ask-line">
    <${Ce} label="Resource" value=${t} set=${n} options=${[...zn,...ct].sort()} />
    ${u?null:r`<${Ce} label="Which" value=${s?"prefix":"exact"} set=${f=>o(f==="prefix")} options=${[["prefix","all that begin with"],["exact","exactly"]]} />
      <${V} label="Rule's name" value=${a} set=${i} placeholder=${s?"empty: all":""} />`}
    <${Ce} label="Level" value=${$} set=${c} options=${d} /></div>
    <div class="buttons left"><button type="button" onClick=${()=>e(wn({resource:t,prefix:s,name:a,level:$}))}>Add the rule</button></div></fieldset>`}function ed(){
let e=O("acl/roles").value,t=b(()=>e.data??[],[e.data]),n=[{id:"name",title:"Role",width:"minmax(9rem, 1fr)",by:s=>s.Name,cell:s=>r`<a href=${m("roles",[s.ID])}>${s.
Name}</a>`},{id:"description",title:"Description",width:"minmax(9rem, 1fr)",by:s=>s.Description,cell:s=>s.Description,wide:!0},{id:"policies",title:"Policies an\
d identities",width:"minmax(8rem, 2fr)",by:s=>(s.Policies??[]).map(o=>o.Name).join(" "),cell:s=>r`<${Ve} view="policies" links=${s.Policies} />${[...je(s).services,
...je(s).nodes].map(o=>r` <span class="badge">${o}</span>`)}`}];return r`<${I} view="roles" title="Roles" ready=${e.data!==void 0||e.error!==null} live=${e} actions=${r`<${Li} view="roles" word="role" />`}>
    <${se} label="roles" rows=${t} rowKey=${s=>s.ID} columns=${n} order="name" stamp=${s=>String(s.ModifyIndex)}
      fields=${{"":s=>[s.Name,s.Description],policy:s=>(s.Policies??[]).map(o=>o.Name??"")}}
      empty="There are no roles, or this token may see none." /><//>`}function td({id:e}){let t=e==="new",n=O(t?"":`acl/role/${encodeURIComponent(e)}`).value,s=b(
()=>W("edit"),[]),o=n.data??null,a=async()=>{if(!o)return;await U({method:"DELETE",path:`acl/role/${o.ID}`,done:`Role ${o.Name} is deleted.`,question:{title:`De\
lete role ${o.Name}`,danger:!0,confirm:"Delete",typed:o.Name,body:r`<p>Tokens that have it lose what it gives, at once.</p>`}})&&L(m("roles"))},i=o&&r`${s.value?
null:r`<${S} need=${q} run=${()=>{s.value="1"}}>Edit<//>`}<${S} need=${q} danger run=${()=>void a()}>Delete<//><${j} need=${q} />`,l=()=>{t?L(m("roles")):s.value=
""};return r`
    <${I} view="role" title=${t?"New role":o?.Name??"Role"} crumbs=${[["Roles",m("roles")]]} ready=${t||n.data!==void 0||n.error!==null} live=${n} actions=${i}>
      ${n.data===null?r`<${N}>There is no such role any more.<//>`:null}
      ${(t||o&&s.value)&&re(q)?r`<${nd} role=${o} close=${l} />`:t?r`<${j} need=${q} />`:null}
      ${o?r`
        <${w} title="Role"><${K} pairs=${[["ID",r`<code>${o.ID}</code> <${R} text=${o.ID} />`],["Description",o.Description],["Policies",o.Policies&&r`<${Ve} view="policies" links=${o.
Policies} />`],["Service identities",je(o).services.join(", ")],["Node identities",je(o).nodes.join(", ")],["Index",o.ModifyIndex]]} /><//>
        <${Pi} kind="Roles" id=${o.ID} />
        <${ue} data=${o} />`:null}
    <//>`}function nd({role:e,close:t}){let n=b(()=>e,[]),[s,o]=g(n?.Name??""),[a,i]=g(n?.Description??""),[l,c]=g(()=>mn(n??{})),u=M.value.dc,d=(y,h,k)=>({Name:y,
Description:h,...ke(vn(k,u),["Roles"])}),$=d(s,a,l),f=JSON.stringify(d(n?.Name??"",n?.Description??"",mn(n??{})),null,2),p=JSON.stringify($,null,2);return hn(f!==
p,"The role"),r`<form class="card" onSubmit=${async y=>{y.preventDefault();let h=n?`acl/role/${n.ID}`:"acl/role";if(n&&!await Qe(h,n,"The role"))return;let k=await U(
{method:"PUT",path:h,body:n?{ID:n.ID,...$}:$,done:`Role ${s} is saved.`,question:{title:n?`Save role ${s}`:`Make role ${s}`,confirm:n?"Save":"Create",body:r`<${Re} before=${n?
f:""} after=${p} />`}});k&&(Se.value="",n?t():L(m("roles",[k.data.ID])))}}>
    <${V} label="Name" value=${s} set=${o} required />
    <${V} label="Description" value=${a} set=${i} />
    <${Gs} grants=${l} set=${c} ofRole />
    <div class="buttons"><button type="button" onClick=${t}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!s||f===p}>Review and ${n?"save":"create"}</button></div></form>`}var Ri,Xs=A(()=>{G();Ne();Q();
Oe();he();Ze();Qo();we();$e();lt();We();Ei();Ri="00000000-0000-0000-0000-000000000001"});var Fi={};De(Fi,{default:()=>Ki});function qi(){try{return JSON.parse(sessionStorage.getItem(ta)??"null")}catch{return null}}function kn(e){return e instanceof pe?
/ACL support disabled/i.test(e.message)?"There is no access control here: no token is needed.":e.status===404?"This agent has no such login.":/ACL not found/i.test(
e.message)?"The agent does not know it.":e.message:String(e)}async function sd(e){try{await ne("acl/token/self",{secret:e})}catch(t){return kn(t)}return E.value=
e,""}function ji(){let e=new URL(C.UiRoot,location.href.split(/[?#]/)[0]).href;return[e,new URL("oidc/callback",e).href]}async function od(e){let t=crypto.getRandomValues(
new Uint8Array(24)).reduce((s,o)=>s+o.toString(16).padStart(2,"0"),""),n="";for(let s of ji())try{let{data:o}=await te("POST","acl/oidc/auth-url",{secret:"",body:{
AuthMethod:e,RedirectURI:s,ClientNonce:t,Meta:{}}}),a=new URL(o.AuthURL);if(!/^https?:$/.test(a.protocol))return"The provider's address is not one of the web.";
let i={method:e,nonce:t,state:a.searchParams.get("state")??"",dc:M.peek().dc};return sessionStorage.setItem(ta,JSON.stringify(i)),location.assign(a.href),""}catch(o){
if(n||=kn(o),!(o instanceof pe&&/redirect/i.test(o.message)))return n}return`${n} This page comes back to ${ji()[0]}: the method's AllowedRedirectURIs must hold\
 it.`}async function ad(){let e=qi();if(!e?.answer)return"";sessionStorage.removeItem(ta);let t=new URLSearchParams(e.answer);if(!e.nonce)return"An answer to a \
login came that was not begun in this tab. It is ignored.";if(e.state&&t.get("state")!==e.state)return"The answer belongs to another login. It is ignored.";if(t.
has("error"))return`The provider refused: ${t.get("error_description")||t.get("error")}`;try{let{data:n}=await te("POST","acl/oidc/callback",{secret:"",dc:e.dc,
body:{AuthMethod:e.method,State:t.get("state"),Code:t.get("code"),ClientNonce:e.nonce}});return E.value=n.SecretID,P(`Logged in by ${e.method}.`),""}catch(n){return`\
The login failed. ${kn(n)}`}}function Ki(){let[e,t]=g(""),[n,s]=g(!!qi()?.answer),[o,a]=g(void 0);return T(()=>{ad().then(t).finally(()=>s(!1))},[]),T(()=>{let i=!1;
return a(void 0),ne("acl/token/self").then(l=>{i||a(l)},l=>{i||a({error:kn(l)})}),()=>{i=!0}},[E.value,M.value.dc]),r`
    <${I} view="login" title=${E.value?"Your token":"Log in"} ready=${o!==void 0&&!n}>
      ${e?r`<div class="note bad" role="alert">${e}</div>`:null}
      ${Ee.value===!1?r`<${N}>There is no access control here: everybody may do everything, and no token is needed.<//>`:null}
      ${E.value?r`<${rd} self=${o} />`:null}
      ${Ee.value===!1?null:r`<div class="cards"><${id} /><${ld} /></div>`}
    <//>`}function rd({self:e}){let t=async()=>{let s=!!e?.AuthMethod;if(await Te({title:"Log out",confirm:"Log out",body:s?r`<p>This token was made for a login by <b>${e.
AuthMethod}</b>. Logging out destroys it: whoever else uses it loses it too.</p>`:r`<p>This page forgets the token. The token itself stays as it is, as it was not made for a login.</p>`})){
if(s)try{await te("POST","acl/logout")}catch(a){P(`The token could not be destroyed: ${kn(a)} It is forgotten here all the same.`,!0),E.value="";return}E.value=
"",P(s?"Logged out: the token is destroyed.":"Logged out: the token is forgotten here.")}},n=je(e??{});return r`
    <${w} title=${e?.Description||"Your token"} actions=${r`<button type="button" onClick=${t}>Log out</button>`}>
      ${e?.error?r`<p class="note bad" role="alert">${e.error} <button type="button" onClick=${()=>{E.value=""}}>Forget it</button></p>`:r`
        <${K} pairs=${[["Accessor",e?.AccessorID&&r`<a href=${m("tokens",[e.AccessorID])}><code>${e.AccessorID}</code></a> <${R} text=${e.AccessorID} />`],["Pol\
icies",e?.Policies&&r`<${Ve} view="policies" links=${e.Policies} />`],["Roles",e?.Roles&&r`<${Ve} view="roles" links=${e.Roles} />`],["Identities",[...n.services,
...n.nodes].join(", ")],["From",e?.AuthMethod?r`a login by <a href=${m("methods",[e.AuthMethod])}>${e.AuthMethod}</a>`:"a token that was given"],["Scope",e?.Local?
"this datacenter":"all datacenters"],["Created",e?.CreateTime&&r`<${Xe} at=${Date.parse(e.CreateTime)} />`],["Expires",e&&r`<${Gn} at=${vt(e)} />`]]} />
        <${ue} data=${ke(e,["SecretID"])} />`}
      <${Ft} label="Remember the token on this computer" value=${Ct.value} set=${s=>{Ct.value=s}} />
      <p class="hint">${Ct.value?"It stays in this browser until you log out.":"It is kept for this tab only, until you close it."}</p>
    <//>`}function id(){let[e,t]=g(""),[n,s]=g(""),o=async a=>{a.preventDefault();let i=await sd(e.trim());s(i&&`This token cannot be used. ${i}`),i||(t(""),P("\
The token is in use."))};return r`<${w} title=${E.value?"Use another token":"With a token"}>
    <form onSubmit=${o}>
      <${V} label="Secret ID" type="password" value=${e} set=${t} required />
      <${Ft} label="Remember on this computer" value=${Ct.value} set=${a=>{Ct.value=a}} />
      ${n?r`<p class="note bad" role="alert">${n}</p>`:null}
      <div class="buttons left"><button type="submit" class="primary" disabled=${!e.trim()}>Use it</button></div>
    </form><//>`}function ld(){let[e,t]=g([]),[n,s]=g(""),[o,a]=g(""),[i,l]=g(""),[c,u]=g("");T(()=>{ne("acl/auth-methods").then(p=>t(p??[]),()=>{})},[E.value]);
let d=e.find(p=>p.Name===n),$=o||(d?d.Type==="oidc"?"browser":"bearer":"browser");return r`<${w} title="By an auth method">
    <form onSubmit=${async p=>{if(p.preventDefault(),u(""),$==="browser"){u(await od(n));return}try{let{data:v}=await te("POST","acl/login",{secret:"",body:{AuthMethod:n,
BearerToken:i.trim(),Meta:{}}});E.value=v.SecretID,l(""),P(`Logged in by ${n}.`)}catch(v){let y=v instanceof pe&&v.status===403?`${v.message}: there is no such \
method, or no binding rule of it gives you anything.`:kn(v);u(i.trim()?y.replaceAll(i.trim(),"(the bearer token)"):y)}}}>
      <${V} label="Method" value=${n} set=${p=>{s(p),a("")}} required list=${e.map(p=>p.Name)}
        hint=${d?`${d.DisplayName||d.Name}, ${d.Type}`:"The name of the auth method"} />
      <${Ce} label="How" value=${$} set=${a} options=${[["browser","with a browser (OIDC)"],["bearer","with a bearer token (JWT, Kubernetes)"]]} />
      ${$==="bearer"?r`<label class="field"><span>Bearer token</span><textarea class="code" rows="4" spellcheck=${!1} autocomplete="off" required
        value=${i} onInput=${p=>l(p.target.value)}></textarea></label>`:null}
      ${c?r`<p class="note bad" role="alert">${c}</p>`:null}
      <div class="buttons left"><button type="submit" disabled=${!n||$==="bearer"&&!i.trim()}>${$==="browser"?"Go to the provider":"Log in"}</button></div>
    </form><//>`}var ta,Wi=A(()=>{G();ge();Oe();Q();fe();Ze();we();$e();lt();ta="proconsul.oidc"});var Ji={};De(Ji,{default:()=>Vi});function Vi(){let e=b(()=>W("tab","raft"),[]),t=sa.find(([n])=>n===e.value)??sa[0];return r`<${I} view="operations" title="Operations">
    <${mt} label="Operations" choice=${e} tabs=${sa.map(([n,s])=>[n,s])} />
    <div class="tab-body" key=${e.value}>${t?.[2]()}</div><//>`}function _t({live:e,missing:t="This agent has no such thing.",children:n}){return e.error?.status===
404&&e.data===void 0?r`<${N}>${t}<//>`:e.data===void 0&&!e.error?r`<${N}>Asking.<//>`:r`<${_o} live=${e} />${e.data!==void 0?n:null}`}function Hi(e){try{return e.
error?.status===429?JSON.parse(e.error.message):e.data}catch{return e.data}}function ud(){let e=O("operator/raft/configuration").value,t=Hi(Y("operator/autopilo\
t/health").value),n=Y("agent/self").value.data,s=e.data?.Servers??[],o=new Map((t?.Servers??[]).map(l=>[l.ID,l])),a=Math.max(0,...[...o.values()].map(l=>l.LastIndex)),
i=l=>{let c=o.get(l.ID),u=c?.LastIndex?a-c.LastIndex:null;return r`<tr key=${l.ID}><td><a href=${m("nodes",[l.Node])}>${l.Node}</a>${l.Leader?r` <span class="badge">leader</span>`:
null}${l.Voter?null:r` <span class="badge">no vote</span>`}</td>
      <td><code class="nowrap">${l.Address}</code></td>
      <td>${c?r`<${B} status=${c.Healthy?"passing":"critical"} text=${c.Healthy?"healthy":c.SerfStatus} />`:r`<span class="dim">not known</span>`}</td>
      <td>${c?.LastIndex??""}${u?r` <span class="hint">${x(u,"entry","entries")} behind</span>`:null}</td><td>${c?.LastContact??""}</td><td>${c?.Version??""}</td>
      <td><div class="actions">${_e&&l.Voter&&!l.Leader?r`<${S} need=${_n} run=${()=>void fd(l)}>Make leader<//>`:null}
        ${l.Leader?null:r`<${S} need=${_n} danger run=${()=>void dd(l)}>Remove<//>`}</div></td></tr>`};return r`
    <${w} title="Servers" actions=${r`<${j} need=${_n} />`}>
      <${_t} live=${e}>
        ${t?r`<p>${t.Healthy?"All servers are healthy.":"Not all servers are healthy."} ${x(t.FailureTolerance,"more voter")} may fail.</p>`:null}
        <div class="scroll-x" tabindex="0" role="region" aria-label="Raft servers"><table class="plain"><thead><tr><th>Server</th><th>Address</th><th>State</th><th>Last index</th><th>Last contact</th><th>Version</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
          ${s.map(i)}</tbody></table></div>
        <${ue} data=${e.data} />
      <//>
    <//>
    ${n?.Stats?.raft?r`<${w} title=${`Raft as ${C.NodeName||"this agent"} sees it`}><${K} pairs=${Object.entries(n.Stats.raft)} /><//>`:null}`}function dd(e){return U(
{method:"DELETE",path:"operator/raft/peer",params:{id:e.ID},done:`${e.Node} is no Raft peer any more.`,question:{title:`Remove ${e.Node} from Raft`,danger:!0,confirm:"\
Remove",typed:e.Node,body:r`<p>This is for a server that is gone for good. It takes its vote away; if it still runs, it comes back as soon as it joins. The quorum may change.</p>`}})}
function fd(e){return U({method:"POST",path:"operator/raft/transfer-leader",params:{id:e.ID},done:`${e.Node} was asked to lead.`,question:{title:`Make ${e.Node}\
 the leader`,confirm:"Hand over",body:r`<p>The leader steps back for it. Writes wait for a moment.</p>`}})}function $d(){let e=Y("operator/autopilot/health").value,
t=Y(_e?"operator/autopilot/state":"").value.data,n=Y("operator/autopilot/configuration",1e4).value,[s,o]=g(!1),a=Hi(e);return r`
    <${w} title="Health">
      ${a?r`<p><${B} status=${a.Healthy?"passing":"critical"} text=${a.Healthy?"healthy":"not healthy"} />, ${x(a.FailureTolerance,"more voter")} may fail.</p>
        <div class="scroll-x" tabindex="0" role="region" aria-label="Health of servers"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Stable for</th><th>Term</th><th>Why</th></tr></thead><tbody>
          ${(a.Servers??[]).map(i=>r`<tr key=${i.ID}><td>${i.Name}${i.Voter?null:r` <span class="badge">no vote</span>`}</td>
            <td><${B} status=${i.Healthy?"passing":"critical"} text=${i.Healthy?"healthy":i.SerfStatus} /></td>
            <td>${Date.parse(i.StableSince)>0?r`<${Xe} at=${Date.parse(i.StableSince)} />`:""}</td><td>${i.LastTerm}</td><td>${(t?.Servers?.[i.ID]?.Why??[]).join(
"; ")}</td></tr>`)}</tbody></table></div>
        ${t?.Next?r`<p>Next: ${t.Next}.</p>`:null}<${ue} data=${t??a} />`:r`<${_t} live=${e} />`}
    <//>
    <${w} title="Settings" actions=${s||!n.data?null:r`<${S} need=${_n} run=${()=>o(!0)}>Edit<//><${j} need=${_n} />`}>
      ${s&&re(_n)?r`<${pd} config=${n.data} close=${()=>o(!1)} />`:r`<${_t} live=${n}>
        <${K} pairs=${Object.entries(ke(n.data,["CreateIndex"])).map(([i,l])=>[i,String(l)||r`<span class="dim">none</span>`])} /><//>`}
    <//>`}function pd({config:e,close:t}){let n=b(()=>e,[]),s=b(()=>Object.keys(ke(n,["CreateIndex","ModifyIndex"])),[]),[o,a]=g(n),i=c=>s.map(u=>`${u}: ${c[u]}`).
join(`
`);return r`<form onSubmit=${async c=>{c.preventDefault(),await U({method:"PUT",path:"operator/autopilot/configuration",params:{cas:n.ModifyIndex},body:ke(o,["C\
reateIndex","ModifyIndex"]),done:"Autopilot's settings are saved.",refused:({data:d})=>d===!1?"Somebody changed the settings meanwhile. Nothing was saved; close\
 the form to see them.":void 0,question:{title:"Save autopilot's settings",confirm:"Save",body:r`<${Re} before=${i(n)} after=${i(o)} />`}})&&t()}}>${s.map(c=>{let u=o[c],
d=$=>a({...o,[c]:typeof n[c]=="number"?Number($):$});return typeof n[c]=="boolean"?r`<${Ft} key=${c} label=${c} value=${u} set=${d} />`:r`<${V} key=${c} label=${c} type=${typeof n[c]==
"number"?"number":"text"} value=${String(u)} set=${d} />`})}<div class="buttons"><button type="button" onClick=${t}>Cancel</button><button type="submit" data-change class="primary" disabled=${i(
n)===i(o)}>Review and save</button></div></form>`}function hd(){let e=Y("agent/self",6e4).value,t=e.data?.Stats?.serf_lan?.encrypted==="false",n=e.data!==void 0||
e.error!==null,s=Y(n&&!t?"operator/keyring":"",1e4).value,[o,a]=g(""),i=async l=>{l.preventDefault(),await U({method:"POST",path:"operator/keyring",body:{Key:o.
trim()},shown:{Key:"$KEY"},done:"The key is installed.",question:{title:"Install a gossip key",confirm:"Install",body:r`<p>All members of all datacenters learn it. It is not used until it is made the primary key.</p>`}})&&
a("")};return r`
    ${t?r`<${N}>Gossip is not encrypted here, so there are no keys: the agents have no <code>encrypt</code> in their settings.<//>`:r`<${_t} live=${s}>${(s.data??
[]).map(l=>r`<${md} key=${`${l.WAN} ${l.Datacenter} ${l.Segment}`} ring=${l} />`)}<//>`}
    ${t?null:re(Ys)&&s.data?r`<${w} title="Install a key"><form onSubmit=${i}><${V} label="Key (16, 24 or 32 bytes in base64)" value=${o} set=${a} required />
      <div class="buttons left"><button type="button" onClick=${()=>a(Ge(crypto.getRandomValues(new Uint8Array(32))))}>Make one</button><button type="submit" data-change class="primary" disabled=${!o.
trim()}>Install</button></div></form><//>`:r`<${j} need=${Ys} />`}`}function md({ring:e}){let t=e.WAN?"WAN":`${e.Datacenter} LAN${e.Segment?`, segment ${e.Segment}`:
""}`,n=o=>U({method:"PUT",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is the primary one.",question:{title:"Use this key",confirm:"Use\
 it",body:r`<p>From now on all members encrypt with it. Those that do not have it can no longer read: it has to be on every one of them, in every datacenter.</p>`}}),
s=o=>U({method:"DELETE",path:"operator/keyring",body:{Key:o},shown:{Key:"$KEY"},done:"The key is removed.",question:{title:"Remove this key",danger:!0,confirm:"\
Remove",typed:"remove",body:r`<p>Members that still encrypt with it are no longer understood, and are thought to have failed.</p>`}});return r`<${w} title=${`Ke\
ys of ${t}`}><p class="hint">${x(e.NumNodes,"member")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${`Keys of ${t}`}><table class="plain"><thead><tr><th>Key</th><th>On members</th><th>Use</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
    ${Object.entries(e.Keys??{}).map(([o,a])=>{let i=!!e.PrimaryKeys?.[o]||!e.PrimaryKeys&&Object.keys(e.Keys)[0]===o;return r`<tr key=${o}><td><${Js} text=${o} what="the key" /></td><td>${a} of ${e.
NumNodes}${Number(a)<e.NumNodes?r` <span class="status s2"><i aria-hidden="true"></i>not on all</span>`:null}</td>
        <td>${i?r`<${B} status="passing" text=${`primary on ${e.PrimaryKeys?.[o]??a}`} />`:"to read only"}</td>
        <td><div class="actions">${i?null:r`<${S} need=${Ys} run=${()=>void n(o)}>Use<//><${S} need=${Ys} danger run=${()=>void s(o)}>Remove<//>`}</div></td></tr>`})}</tbody></table></div><//>`}
function vd(e,t){let n=URL.createObjectURL(e),s=document.createElement("a");s.href=n,s.download=t,s.click(),setTimeout(()=>URL.revokeObjectURL(n),1e4)}function gd(){
let[e,t]=g(""),n=ee(null),s=async()=>{t("The leader writes the snapshot.");try{let a=await er("snapshot");vd(a,`consul-${C.Datacenter||"dc"}-${new Date().toISOString().
slice(0,19).replaceAll(":","")}.snap`),P(`A snapshot of ${tt(a.size)} is downloaded.`)}catch(a){P(a instanceof Error?a.message:String(a),!0)}t("")},o=async()=>{
let a=n.current?.files?.[0];if(!a)return P("Choose a snapshot first.",!0);if(await Te({title:"Restore a snapshot",danger:!0,confirm:"Restore",typed:"restore",curl:ve(
"PUT","snapshot","@backup.snap"),body:r`<p>Everything this datacenter knows is replaced by <b>${a.name}</b> (${tt(a.size)}): catalog, keys, sessions, access control. What was written since is lost, also tokens: yours may be among them.</p>`})){
t("The servers take the snapshot over.");try{await te("PUT","snapshot",{body:a}),P("The snapshot is restored.")}catch(l){P(l instanceof Error?l.message:String(l),
!0)}return t("")}};return r`<${w} title="Save">
      <p>The whole state of this datacenter's servers as one file: catalog, keys, sessions, access control. It holds secrets.</p>
      ${at(na)?r`<button type="button" disabled=${e!==""} onClick=${s}>Download a snapshot</button>`:r`<span class="hint">needs acl:write</span>`}
      <${R} text=${ve("GET","snapshot").replace(/^curl/,"curl -o backup.snap")} block />
    <//>
    ${re(na)?r`<${w} title="Restore">
      <label class="field"><span>Snapshot file</span><input type="file" ref=${n} /></label>
      <button type="button" data-change class="danger" disabled=${e!==""} onClick=${()=>void o()}>Restore</button><//>`:r`<${j} need=${na} />`}
    <p role="status">${e}</p>`}function yd(){let e=Y("agent/metrics").value,t=b(()=>(e.data&&wr(Bi,e.data,Date.now()),[...Bi.values()]),[e.data]);return r`<p class="hint">Of the agent this page comes from, asked every 5 seconds; the agent sums up 10. Gauges as they are, counters per interval, samples by their mean.</p>
    <${_t} live=${e}><${se} label="metrics" rows=${t} rowKey=${s=>`${s.kind} ${s.name}`} columns=${[{id:"name",title:"Metric",width:"minmax(10rem, 2fr)",by:s=>s.
name,cell:s=>r`<span title=${s.name}>${s.name}</span>`},{id:"kind",title:"Kind",width:"5rem",by:s=>s.kind,cell:s=>s.kind,wide:!0},{id:"value",title:"Now",width:"\
6rem",by:s=>s.values.at(-1)??0,cell:s=>r`<b title=${Object.entries(s.last).map(([o,a])=>`${o}: ${a}`).join(`
`)}>${Fn(s.values.at(-1)??0)}</b>`},{id:"line",title:"Since the page was opened",width:"minmax(8rem, 1fr)",wide:!0,cell:s=>r`<${bd} row=${s} />`},{id:"range",title:"\
Lowest to highest",width:"11rem",wide:!0,cell:s=>r`<span class="dim">${Fn(Math.min(...s.values))} to ${Fn(Math.max(...s.values))}</span>`}]} order="name"
      fields=${{"":s=>s.name,kind:s=>s.kind}} quick=${[["kind:gauge","gauges"],["kind:counter","counters"],["kind:sample","samples"]]} /><//>`}function bd({row:e}){
return r`<svg class="spark" role="img" aria-label=${`${e.name}: ${e.values.slice(-8).map(Fn).join(", ")}`} viewBox="0 0 160 24" preserveAspectRatio="none">
    <polyline points=${e.values.length>1?kr(e.values,160,24):"0,12 160,12"} /></svg>`}function wd(){let e=Y("agent/self",3e4).value,t=b(()=>Do(ke(e.data,["Coord",
"Member"])),[e.data]);return r`<p class="hint">What this agent goes by now: its settings with all defaults (DebugConfig) and its counts (Stats).</p>
    <${_t} live=${e}><${se} label="settings" rows=${t} rowKey=${s=>s.name} columns=${[{id:"name",title:"Setting",width:"minmax(9rem, 1fr)",by:s=>s.name,cell:s=>r`<code title=${s.
name}>${s.name}</code>`},{id:"value",title:"Value",width:"minmax(7rem, 1fr)",by:s=>s.value,cell:s=>r`<span title=${s.value}>${s.value}</span>`}]} order="name"
      fields=${{"":s=>[s.name,s.value],name:s=>s.name,value:s=>s.value}} quick=${[["name:Stats","counts"],["name:DebugConfig","settings"]]} />
      <${ue} data=${e.data} label="agent/self" /><//>`}function kd(){let e=Y("agent/self",1e4).value,t=Y("agent/checks").value.data??{},[n,s]=g(""),o=t._node_maintenance,
a=C.NodeName||e.data?.Config?.NodeName||"this agent",i=cd(),l={Resource:"node",Access:"write",Segment:C.NodeName},c=()=>U({method:"PUT",path:"agent/maintenance",
params:o?{enable:"false"}:{enable:"true",reason:n||"Set on the web page"},done:o?`${a} serves again.`:`${a} is in maintenance.`,question:{title:o?`End maintenan\
ce of ${a}`:`Put ${a} into maintenance`,confirm:o?"End maintenance":"Start maintenance",typed:o?void 0:a,body:o?r`<p>Its services are found again.</p>`:r`<p>A critical check is put on the node: none of its services is found any more until it ends. They go on running.</p>`}}),
u=()=>U({method:"PUT",path:"agent/reload",done:`${a} has read its settings.`,question:{title:`Reload ${a}`,confirm:"Reload",body:r`<p>It reads its configuration files again. What is wrong in them is refused, and the log says why.</p>`}}),
d=()=>U({method:"PUT",path:"agent/leave",done:`${a} leaves.`,question:{title:`Make ${a} leave`,danger:!0,confirm:"Leave",typed:a,body:r`<p>It tells the others and ends: this page ends with it. Its services are taken out of the catalog. It comes back when somebody starts it.${e.
data?.Config?.Server?" It is a server: its vote is taken away.":""}</p>`}});return r`<${w} title=${a} actions=${r`<${S} need=${i} run=${()=>void u()}>Reload<//><${S} need=${i} danger run=${()=>void d()}>Leave<//><${j} need=${i} />`}>
      <${_t} live=${e}><${K} pairs=${[["Version",[e.data?.Config?.Version,C.Version&&`proconsul ${C.Version}`].filter(Boolean).join(", ")],["Role",e.data?.Config?.
Server?"server":"client"],["Datacenter",e.data?.Config?.Datacenter],["Node ID",e.data?.Config?.NodeID],["Address",e.data?.Member?.Addr],["Health score",e.data?.
Stats?.serf_lan?.health_score]]} /><//>
    <//>
    <${w} title="Maintenance" actions=${r`<${j} need=${l} />`}>
      ${o?r`<p><${B} status="maintenance" text="in maintenance" />: ${o.Notes}</p>`:r`<p>The node serves.</p>`}
      ${re(l)&&!o?r`<${V} label="Reason" value=${n} set=${s} />`:null}
      <${S} need=${l} danger=${!o} run=${()=>void c()}>${o?"End maintenance":"Start maintenance"}<//>
    <//>
    ${_e?r`<${_d} need=${i} />`:null}`}function _d({need:e}){let t=Y("agent/sync").value,n=t.data,s=()=>U({method:"PUT",path:"agent/sync",done:"Compared with th\
e catalog."}),o=[...Object.entries(n?.Services??{}).map(([a,i])=>["service",a,i]),...Object.entries(n?.Checks??{}).map(([a,i])=>["check",a,i])];return r`<${w} title="In the catalog" actions=${r`<${S} need=${e} run=${()=>void s()}>Compare now<//>`}>
    <${_t} live=${t}><${K} pairs=${[["Node",n&&r`<${B} status=${n.Node.InSync?"passing":"critical"} text=${n.Node.InSync?"in sync":"not in sync"} /> ${n.Node.LastError}`],
["Servers",n?.ServersReachable?"reachable":`not reachable: ${n?.LastError??""}`],["Compared",Date.parse(n?.LastComparison)>0?r`<${Xe} at=${Date.parse(n.LastComparison)} />`:
null],["Again",Date.parse(n?.NextComparison)>0?new Date(n.NextComparison).toLocaleTimeString():null]]} />
    ${o.length?r`<div class="scroll-x" tabindex="0" role="region" aria-label="Services and checks"><table class="plain"><thead><tr><th>What</th><th>ID</th><th>State</th></tr></thead><tbody>${o.
map(([a,i,l])=>r`<tr key=${`${a} ${i}`}><td>${a}</td><td>${i}</td>
      <td><${B} status=${l.InSync?"passing":"critical"} text=${l.InSync?"in sync":"not in sync"} /> ${l.LastError??""}</td></tr>`)}</tbody></table></div>`:r`<${N}>Nothing is registered with this agent.<//>`}<//><//>`}
var _n,Ys,na,cd,sa,Bi,Gi=A(()=>{G();ge();Ne();Q();Oe();fe();he();Ze();we();$e();lt();We();_n={Resource:"operator",Access:"write"},Ys={Resource:"keyring",Access:"\
write"},na={Resource:"acl",Access:"write"},cd=()=>({Resource:"agent",Access:"write",Segment:C.NodeName}),sa=[["raft","Raft",()=>r`<${ud} />`],["autopilot","Auto\
pilot",()=>r`<${$d} />`],["keyring","Keyring",()=>r`<${hd} />`],["snapshot","Snapshot",()=>r`<${gd} />`],["metrics","Metrics",()=>r`<${yd} />`],["settings","Con\
figuration",()=>r`<${wd} />`],["agent","Agent",()=>r`<${kd} />`]];Bi=new Map});var Zi={};De(Zi,{default:()=>Yi});function Td(e){let t=b(()=>F({lines:[],state:"connecting",trouble:""}),[]),n=ee(0);return T(()=>{let s=new AbortController,o=!1,
a=[],i=(d={})=>{let{lines:$}=t.peek();t.value={...t.peek(),lines:a.length?[...$,...a].slice(-Xi):$,...d},a=[]},l=setInterval(()=>{a.length&&i()},Sd),c=async d=>{
let $=new TextDecoder,f="",p="info";i({state:"connecting",trouble:""});try{let v=Qa(be("agent/monitor",{loglevel:e},""),d);setTimeout(()=>{!d.aborted&&t.peek().
state==="connecting"&&i({state:"open"})},1e3);for await(let y of v){let[h,k]=xr(f+$.decode(y,{stream:!0}));f=k;for(let _ of h)_&&(p=_r(_,p),a.push({id:n.current,
text:_,level:p}),n.current+=1);t.peek().state!=="open"&&i({state:"open"})}d.aborted||i({state:"ended",trouble:"The agent has ended the stream."})}catch(v){if(d.
aborted)return;let y=v instanceof pe&&v.status>=400&&v.status<500;i({state:y?"refused":"ended",trouble:v instanceof pe?v.message:"The agent does not answer."})}
!d.aborted&&t.peek().state!=="refused"&&setTimeout(()=>{d.aborted||c(d)},Nd)},u=()=>{s.abort(),!o&&(document.hidden?i({state:"paused"}):(s=new AbortController,c(
s.signal)))};return document.addEventListener("visibilitychange",u),u(),()=>{o=!0,s.abort(),clearInterval(l),document.removeEventListener("visibilitychange",u)}},
[e,E.value]),{kept:t,clear:()=>{t.value={...t.peek(),lines:[]}}}}function Yi(){let e=b(()=>W("level","info"),[]),t=b(()=>W("filter"),[]),[n,s]=g(null),[o,a]=g(!0),
i=zi.includes(e.value)?e.value:"info",{kept:l,clear:c}=Td(i),{lines:u,state:d,trouble:$}=l.value,f=n??u,p=b(()=>{let h=Ns(t.value),k=Ts(h,{"":_=>_.text,level:_=>_.
level});return h.length?f.filter(k):f},[f,t.value]),v=async()=>{await Mn(p.map(h=>h.text).join(`
`)),P(`${x(p.length,"line")} copied.`)},y=n?`paused, ${x(u.filter(h=>h.id>(n.at(-1)?.id??-1)).length,"new line")}`:{open:"live",connecting:"connecting",paused:"\
paused",ended:"interrupted",refused:"refused"}[d];return r`
    <${I} view="log" title="Log" actions=${r`<span class="hint" role="status" data-log-state=${n?"held":d}>${y}</span>`}>
      ${$?r`<div class="note bad" role="alert">${$}</div>`:null}
      <div class="list-tools">
        <input type="search" class="filter" data-filter value=${t.value} placeholder="Filter" aria-label="Filter the log" title="Words that must all occur; level: for the level; a minus before what must not"
          onInput=${h=>{t.value=h.target.value}} onKeyDown=${h=>{h.key==="Escape"&&(t.value="")}} />
        <${Ce} label="Level" value=${i} set=${h=>{e.value=h,c(),s(null)}} options=${zi.map(h=>[h,h==="err"?"error":`${h} and worse`])} />
        <button type="button" aria-pressed=${n!==null} onClick=${()=>s(n?null:u)}>${n?"Go on":"Pause"}</button>
        <button type="button" aria-pressed=${o} onClick=${()=>a(!o)}>Follow</button>
        <button type="button" onClick=${v} disabled=${!p.length}>Copy</button>
        <button type="button" onClick=${()=>{c(),n&&s([])}}>Clear</button>
        <span class="count">${p.length===f.length?x(p.length,"line"):`${p.length.toLocaleString("en")} of ${x(f.length,"line")}`}${u.length===Xi?", the oldest a\
re dropped":""}</span>
      </div>
      ${p.length?r`<${Dd} lines=${p} follow=${o&&n===null} away=${()=>a(!1)} />`:r`<${N}>${f.length?"No line matches.":"No line has come yet: the log tells what\
 happens from now on."}<//>`}
    <//>`}function Dd({lines:e,follow:t,away:n}){let s=ee(null);Gt(()=>{t&&s.current&&(s.current.scrollTop=s.current.scrollHeight)},[e,t]);let o=b(()=>{let i=new Map;
for(let l of e){let c=Math.floor(l.id/xd),u=i.get(c);u?u.push(l):i.set(c,[l])}return[...i]},[e]);return r`<div class="log" ref=${s} role="log" aria-label="Log" aria-live="off" tabindex="0" onWheel=${i=>{
t&&i.deltaY<0&&n()}}
      onKeyDown=${i=>{["ArrowUp","PageUp","Home"].includes(i.key)&&n()}}>
    ${o.map(([i,l])=>r`<${Cd} key=${i} lines=${l} />`)}</div>`}function Cd({lines:e}){return b(()=>r`<div class="log-block">${e.map(t=>r`<div key=${t.id} class=${`\
line l-${t.level}`}>${t.text}</div>`)}</div>`,[e.length,e[0]?.id,e.at(-1)?.id])}var Xi,xd,Sd,Nd,zi,Qi=A(()=>{G();ge();Q();ln();he();Ze();fe();we();$e();lt();Xi=
5e3,xd=100,Sd=200,Nd=3e3,zi=["trace","debug","info","warn","err"]});var xt,oa=A(()=>{xt=[{id:"overview",title:"Overview",group:"Cluster",key:"o",load:()=>Promise.resolve().then(()=>(vr(),mr))},{id:"services",title:"Services",group:"\
Catalog",key:"s",load:()=>Promise.resolve().then(()=>(Cr(),Dr))},{id:"instance",title:"Instance",group:"",load:()=>Promise.resolve().then(()=>(Os(),Nr)).then(e=>({
default:e.Instance}))},{id:"nodes",title:"Nodes",group:"Catalog",key:"n",load:()=>Promise.resolve().then(()=>(Rr(),Or))},{id:"kv",title:"Keys",group:"Catalog",key:"\
k",load:()=>Promise.resolve().then(()=>(ii(),ri))},{id:"key",title:"Key",group:"",load:()=>Promise.resolve().then(()=>(Vo(),si))},{id:"sessions",title:"Sessions",
group:"Catalog",key:"l",load:()=>Promise.resolve().then(()=>(Wo(),ti))},{id:"queries",title:"Prepared queries",group:"Catalog",key:"q",load:()=>Promise.resolve().then(()=>(di(),ui))},
{id:"intentions",title:"Intentions",group:"Mesh",key:"i",load:()=>Promise.resolve().then(()=>(mi(),hi))},{id:"tokens",title:"Tokens",group:"Access",key:"t",need:{
Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(Ai(),Ci))},{id:"policies",title:"Policies",group:"Access",key:"p",need:{Resource:"acl",Access:"\
read"},load:()=>Promise.resolve().then(()=>(Xs(),zs))},{id:"roles",title:"Roles",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(Xs(),zs))},
{id:"methods",title:"Auth methods",group:"Access",need:{Resource:"acl",Access:"read"},load:()=>Promise.resolve().then(()=>(Xs(),zs))},{id:"login",title:"Log in",
group:"",load:()=>Promise.resolve().then(()=>(Wi(),Fi))},{id:"operations",title:"Operations",group:"Cluster",key:"r",load:()=>Promise.resolve().then(()=>(Gi(),Ji))},
{id:"log",title:"Log",group:"Cluster",need:{Resource:"agent",Access:"read"},load:()=>Promise.resolve().then(()=>(Qi(),Zi))}]});var nl={};De(nl,{Palette:()=>Rd});function el(){return xt.filter(e=>e.group&&(!e.ours||_e)&&(!e.need||at(e.need)===!0)&&(e.group!=="Access"||Ee.value!==!1)).map(
e=>St(e.title,{href:m(e.id),hint:e.key?`g ${e.key}`:""}))}function tl(){let{dc:e,view:t}=M.value;return[...["auto","light","dark"].filter(s=>s!==$t.value).map(s=>St(
`Theme: ${s}`,{run:()=>{$t.value=s}})),...C.ReadOnly?[]:[St(Me.value?"Read-only: off":"Read-only: on",{hint:"w",run:()=>{ot.value=!ot.peek()}})],...Vt.value.filter(
s=>s!==e).map(s=>St(`Go to datacenter ${s}`,{href:m(t,"",{},s)})),...Ee.value===!1?[]:[St("Log in or out",{href:m("login")})]]}function Id(){let[e,t]=g({services:[],
nodes:[],trouble:""});return T(()=>{let n=new AbortController,s={signal:n.signal};return Promise.allSettled([ne("catalog/services",s),ne("catalog/nodes",s)]).then(
([o,a])=>{if(n.signal.aborted)return;let i=[o,a].find(l=>l.status==="rejected");t({services:o.status==="fulfilled"?Object.keys(o.value??{}).map(l=>St(l,{href:m(
"services",[l])})):[],nodes:a.status==="fulfilled"?(a.value??[]).map(l=>St(l.Node,{href:m("nodes",[l.Node]),hint:l.Address})):[],trouble:i?.status==="rejected"?
String(i.reason?.message??i.reason):""})}),()=>n.abort()},[]),e}function Ed(e){let[t,n]=g([]);return T(()=>{if(!e||!Ue(e)){n([]);return}let s=new AbortController,
o=setTimeout(async()=>{try{let a=await ne(qt(e,!0),{signal:s.signal,accept:[404]}),i=e.slice(0,e.lastIndexOf("/")+1),l=Rs(Array.isArray(a)?a.filter(c=>c.startsWith(
e)):[],i);s.signal.aborted||n(l.slice(0,Bt).map(c=>St(c.key,{href:m(c.folder?"kv":"key",c.key),hint:c.folder?"folder":""})))}catch{s.signal.aborted||n([])}},Ad);
return()=>{clearTimeout(o),s.abort()}},[e]),t}function Od(e,t){let n=e.trim().toLowerCase();return[{title:"Pages",items:Kn(e,el(),n?Bt:99)},{title:"Services",items:n?
Kn(e,t.services,Bt):[]},{title:"Nodes",items:n?Kn(e,t.nodes,Bt):[]},{title:"Actions",items:Kn(e,tl(),Bt)}].map(o=>({...o,level:n&&o.items[0]?To(n,o.items[0].low):
0})).sort((o,a)=>o.level-a.level)}function Rd({close:e}){let[t,n]=g(""),[s,o]=g(0),a=ee(null),i=ee(null);T(()=>i.current?.focus(),[]);let l=Id(),c=Ed(t),u=[...el(),
...tl()].map(({text:h})=>h).join(`
`),d=b(()=>Od(t,l),[t,l,u]),$=[...d.filter(({level:h})=>h<4),{title:"Keys",items:c},...d.filter(({level:h})=>h===4)].filter(({items:h})=>h.length),f=$.flatMap(h=>h.
items),p=Math.min(s,f.length-1);T(()=>{a.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({block:"nearest"})},[p,$]);let v=h=>{h&&(e(),h.run?h.run():
h.href&&L(h.href))},y=h=>{let k={ArrowDown:p+1,ArrowUp:p-1,PageDown:p+Bt,PageUp:p-Bt}[h.key];if(k!==void 0){h.preventDefault();let _=f.length-1,H=Math.abs(k-p)===
1;o(H&&k>_?0:H&&k<0?_:Math.max(0,Math.min(_,k)))}else h.key==="Enter"&&!h.isComposing&&(h.preventDefault(),v(f[p]))};return r`
    <${Ye} title="Find" close=${e} class="palette">
      <input class="palette-input" type="text" role="combobox" aria-expanded=${f.length>0} aria-controls="palette-list" aria-autocomplete="list" aria-label="Find a page, service, node, key or action"
        aria-activedescendant=${f.length?`palette-${p}`:void 0} placeholder="Page, service, node, beginning of a key, action" autocomplete="off" spellcheck=${!1} ref=${i}
        value=${t} onInput=${h=>{n(h.target.value),o(0)}} onKeyDown=${y} />
      <div id="palette-list" role="listbox" aria-label="Found" class="palette-list" ref=${a}>
        ${$.map(h=>r`<${Md} key=${h.title} group=${h} from=${f.indexOf(h.items[0])} active=${p} take=${v} />`)}
      </div>
      ${f.length?null:r`<p class="empty" role="status">Nothing of that name.</p>`}
      ${l.trouble?r`<p class="hint">${l.trouble}</p>`:null}
    <//>`}function Md({group:e,from:t,active:n,take:s}){return r`
    <div role="group" aria-label=${e.title}>
      <div class="menu-title" aria-hidden="true">${e.title}</div>
      ${e.items.map((o,a)=>r`
        <div role="option" key=${o.text} id=${`palette-${t+a}`} aria-selected=${t+a===n} onClick=${()=>s(o)}>
          <span class="key-name">${oe(o.text)}</span>${o.hint?r` <span class="dim">${o.hint}</span>`:null}</div>`)}
    </div>`}var Bt,Ad,St,sl=A(()=>{G();ge();ln();dn();Oe();Q();fe();Pt();oa();we();aa();Bt=8,Ad=120,St=(e,t)=>({text:e,low:e.toLowerCase(),...t})});async function Ld(){try{Vt.value=await ne("catalog/datacenters",{dc:""})}catch{}if(!C.Datacenter)try{let o=await ne("agent/self",{dc:""});Object.assign(C,{Datacenter:o.
Config.Datacenter,NodeName:o.Config.NodeName,Server:o.Config.Server})}catch{C.Datacenter=Vt.peek()[0]??""}let{dc:e,view:t,parts:n,query:s}=M.peek();!e&&C.Datacenter&&
en(m(t,n,Object.fromEntries(s),C.Datacenter))}function Pd({id:e}){let[,t]=g(0),[n,s]=g(""),o=xt.find(u=>u.id===e);T(()=>{!o||ra.has(e)||o.load().then(u=>{ra.set(
e,u.default),t(d=>d+1)},u=>s(String(u)))},[e]),T(()=>{document.activeElement===document.body&&document.getElementById("main")?.focus({preventScroll:!0})},[M.value.
view,M.value.rest]);let a=ra.get(e);if(!o)return r`<main id="main" data-view="unknown" data-ready="true"><h1>No such page</h1><p>There is no view <code>${e}</code>. <a href=${m(
"overview")}>Overview</a></p></main>`;if(n)return r`<main id="main" data-view=${e} data-ready="true"><h1>${o.title}</h1><div class="note bad" role="alert">This part of the page could not be loaded: ${n}</div></main>`;
if(!a)return r`<main id="main" data-view=${e} data-ready="false" aria-busy="true"></main>`;let{dc:i,rest:l,parts:c}=M.value;return r`<${a} key=${`${X.value}/${e}\
/${c.map(encodeURIComponent).join("/")}`} id=${e} rest=${l} parts=${c} dc=${i} />`}function Ud(){let e=M.value.view,t=[...new Set(xt.map(o=>o.group).filter(Boolean))],
n=xt.filter(o=>o.group&&(!o.ours||_e)&&(!o.need||at(o.need)===!0)),s={instance:"services",key:"kv"}[e]??e;return r`<nav class="menu" aria-label="Pages">${t.map(
o=>{let a=n.filter(i=>i.group===o&&(o!=="Access"||Ee.value!==!1));return a.length?r`<div class="menu-group"><span class="menu-title">${o}</span>${a.map(i=>r`
      <a href=${m(i.id)} aria-current=${s===i.id?"page":void 0}>${i.title}</a>`)}</div>`:null})}</nav>`}function jd(){let e=or.value;return At.value?r`<span class="pulse off" data-pulse="paused" role="status">paused</span>`:
e?r`<span class="pulse bad" data-pulse="stale" role="status">stale since ${new Date(e).toLocaleTimeString()} (${Le(Math.max(0,ze.value-e))})</span>`:r`<span class="pulse" data-pulse="live" role="status">live</span>`}
function qd(){return r`<${Ye} title="What this page asks the agent" close=${()=>{Ae.value=""}} wide>
    <p>The token, if there is one, goes in the header <code>X-Consul-Token</code>.</p>
    ${[...Je.value.values()].map(({path:e})=>r`<${R} key=${e} text=${ve("GET",e)} block />`)}
  <//>`}function Kd(){let e=[["/","filter"],["Ctrl K","find anything"],["j k ↑ ↓","go through a list"],["Enter","open"],["u","one up"],["c","the requests as\
 curl"],["w","read-only on or off"],["?","these keys"],...xt.filter(t=>t.key).map(t=>[`g ${t.key}`,t.title])];return r`<${Ye} title="Keys" close=${()=>{Ae.value=
""}}>
    <dl class="facts">${e.map(([t,n])=>r`<div key=${t}><dt><kbd>${t}</kbd></dt><dd>${n}</dd></div>`)}</dl>
  <//>`}function ol(e){let t=e.target;if((e.ctrlKey||e.metaKey)&&e.key.toLowerCase()==="k"){e.preventDefault(),Ae.value=Ae.peek()==="palette"?"":"palette";return}
if(e.ctrlKey||e.metaKey||e.altKey||t.closest("input, textarea, select, dialog[open], [contenteditable]"))return;let n=Zs;Zs=e.key,setTimeout(()=>{Zs=""},1e3);let s=n===
"g"?xt.find(o=>o.key===e.key):void 0;s?(Zs="",L(m(s.id))):e.key==="/"?(e.preventDefault(),document.querySelector("[data-filter]")?.focus()):e.key==="?"?Ae.value=
"keys":e.key==="c"&&n!=="g"?Ae.value="requests":e.key==="w"?ot.value=!ot.peek():e.key==="u"&&document.querySelector(".crumbs a:last-child")?.click()}function al(){
T(()=>(Ld(),document.addEventListener("keydown",ol),()=>document.removeEventListener("keydown",ol)),[]);let{dc:e,view:t}=M.value,[n,s]=g(!1),[o,a]=g(null);T(()=>s(
!1),[M.value]),T(()=>{Ae.value==="palette"&&!o&&Promise.resolve().then(()=>(sl(),nl)).then(l=>a(()=>l.Palette))},[Ae.value]);let i=Vt.value.includes(e)||!e?Vt.value:
[e,...Vt.value];return r`
    <a class="skip" href="#main" onClick=${l=>{l.preventDefault(),document.getElementById("main")?.focus()}}>Skip to content</a>
    <header class="top">
      <button type="button" class="quiet burger" aria-label="Menu" aria-expanded=${n} onClick=${()=>s(!n)}>☰</button>
      <a class="brand" href=${m("overview")}>proconsul</a>
      <label class="dc"><span class="sr">Datacenter</span>
        <select value=${e} data-dc onChange=${l=>L(m(t,"",{},l.target.value))}>
          ${i.map(l=>r`<option key=${l} value=${l}>${l}</option>`)}
        </select></label>
      <${jd} />
      <span class="space"></span>
      <button type="button" class="find" onClick=${()=>{Ae.value="palette"}}>Find <kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet" title="What this page asks the agent, as curl (c)" onClick=${()=>{Ae.value="requests"}}>curl</button>
      <button type="button" class="quiet" data-read-only aria-pressed=${Me.value} disabled=${C.ReadOnly}
        title=${C.ReadOnly?"The agent takes no changes from this page":"Offer no changes (w)"}
        onClick=${()=>{ot.value=!ot.peek()}}>${Me.value?"read-only":"read and write"}</button>
      <label><span class="sr">Theme</span>
        <select value=${$t.value} data-theme-picker onChange=${l=>{$t.value=l.target.value}}>
          <option value="auto">auto</option><option value="light">light</option><option value="dark">dark</option></select></label>
      ${Ee.value===!1?null:r`<a class="button quiet" href=${m("login")}>${E.value?"Token":"Log in"}</a>`}
      <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${()=>{Ae.value="keys"}}>?</button>
    </header>
    <div class=${`body ${n?"menu-open":""}`}>
      <${Ud} />
      <${Pd} id=${t} />
    </div>
    ${Ae.value==="keys"?r`<${Kd} />`:null}
    ${Ae.value==="requests"?r`<${qd} />`:null}
    ${Ae.value==="palette"&&o?r`<${o} close=${()=>{Ae.value=""}} />`:null}
    <${lr} />`}var Vt,Ae,ra,Zs,aa=A(()=>{G();fe();Q();ge();Ne();Oe();he();$e();we();oa();Vt=F(C.Datacenter?[C.Datacenter]:[]),Ae=F("");ra=new Map;Zs=""});G();fe();Q();aa();function Fd(){let e=new URL(C.UiRoot,location.href.split("#")[0]).pathname;return location.pathname.startsWith(e)?location.pathname.slice(e.length):
""}function Wd(){let e=new URLSearchParams(location.search);if(!e.has("state")||!(e.has("code")||e.has("error")))return"";history.replaceState(null,"",location.
pathname+location.hash);let t=null;try{t=JSON.parse(sessionStorage.getItem("proconsul.oidc")??"null"),sessionStorage.setItem("proconsul.oidc",JSON.stringify({...t,
answer:e.toString()}))}catch{}return`#/${encodeURIComponent(t?.dc??"")}/login`}var ia=Wd(),la=Fd();if(la&&la!=="index.html")location.replace(new URL(C.UiRoot,location.
href.split("#")[0]).href+(ia||Za(la)||"#/"));else{ia&&en(ia);let{dc:e,view:t,parts:n,query:s}=M.value;!e&&C.Datacenter&&en(m(t,n,Object.fromEntries(s),C.Datacenter));
let o=document.getElementById("app");o.textContent="",lo(r`<${al} />`,o)}
